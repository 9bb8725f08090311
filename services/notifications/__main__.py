"""python -m services.notifications."""

from services.notifications.app import NAME, create_service
from services.notifications.settings import NotificationsSettings
from shared.kit.service.service import serve

if __name__ == "__main__":
    serve(NAME, create_service, NotificationsSettings())
