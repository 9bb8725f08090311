"""`python -m services.intake`: run intake until SIGTERM."""

from services.intake.app import create_service
from services.intake.settings import IntakeSettings
from shared.kit.service.service import serve

if __name__ == "__main__":
    settings = IntakeSettings()
    serve("intake", create_service, settings, settings.helpers)
