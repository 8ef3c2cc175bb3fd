"""Asks WhatsApp as seldom as possible: memory, shared questions and budgets."""

from __future__ import annotations

from wuts.adapters.enquiries.enquirer import Enquirer
from wuts.adapters.enquiries.policy import Policy

__all__ = ["Enquirer", "Policy"]
