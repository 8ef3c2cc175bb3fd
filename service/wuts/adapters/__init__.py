"""What answers the ports: SQLite stores, the registry, supervised sessions."""
