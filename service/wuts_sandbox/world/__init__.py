"""Describes the world an emulator shows: accounts, people, groups, pictures."""
