"""Tells how many questions to WhatsApp a device has left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wuts.domain.caller import DeviceId
    from wuts.domain.enquiry import Budget
    from wuts.ports import Enquiries


async def get_budget(device: DeviceId, *, enquiries: Enquiries) -> Budget:
    """Reads the budget, in whatever state the device is."""
    return await enquiries.budget(device)
