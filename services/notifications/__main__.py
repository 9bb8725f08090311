"""Runs notifications: `python -m services.notifications`."""

from services.notifications.app import create_service
from services.notifications.settings import NotificationsSettings
from shared.kit.service.service import serve

if __name__ == "__main__":
    serve("notifications", create_service, NotificationsSettings())
