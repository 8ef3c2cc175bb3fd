"""Measures what answers cost, beside what others would have cost: `make bench`."""
