"""The installer's screen: behind a code, what a kiosk knows of itself, its tests and its ways out.

Nothing of any resident is on it: counts, ages, versions, devices, and log lines that hold only
codes.
"""
