"""Backups: a data directory as one file, taken while the service runs."""

from wuts.adapters.backup.archive import BackupError
from wuts.adapters.backup.restore import Restored, restore
from wuts.adapters.backup.save import Saved, save

__all__ = ["BackupError", "Restored", "Saved", "restore", "save"]
