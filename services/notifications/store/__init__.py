"""What notifications keeps, as SQL over sets; the caller's transaction commits it."""

from services.notifications.store.cases import forget_reporters, learn_reporters
from services.notifications.store.deliveries import add_news, end, mark_sending, postpone, take_due, take_interrupted
from services.notifications.store.subject_export import list_held

__all__ = [
    "add_news",
    "end",
    "forget_reporters",
    "learn_reporters",
    "list_held",
    "mark_sending",
    "postpone",
    "take_due",
    "take_interrupted",
]
