"""The session process: one neonize client, supervised from outside."""
