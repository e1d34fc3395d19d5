"""What kiosk and centre share: the catalogue, records and their bytes, sealing, outbox, exchange.

`sync` knows neither side. Decisions are pure; clocks, randomness, disk and network are arguments.
"""
