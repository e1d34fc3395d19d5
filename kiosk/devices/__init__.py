"""What may hang on a kiosk: printer, bell, scanner, card reader, headphones.

Each is optional, behind one small interface, with a simulator (`kiosk.devices.simulated`) and a
check of the doctor. Whatever a device does, it has a bound in time, and it never holds the
screen: what is missing or broken is told in plain words and the visit goes on.
"""
