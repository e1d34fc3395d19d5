"""The vault: the only process that opens envelopes; it writes down every look beforehand."""
