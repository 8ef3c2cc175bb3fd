"""Offers a loopback WhatsApp for trying and testing `wuts`; never part of a production image."""
