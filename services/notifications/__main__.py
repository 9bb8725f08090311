"""python -m services.notifications."""

from services.notifications.app import NAME, create_app
from services.notifications.settings import NotificationsSettings
from shared.kit.service.service import serve

if __name__ == "__main__":
    settings = NotificationsSettings()
    serve(lambda _: create_app(settings), NAME, settings)
