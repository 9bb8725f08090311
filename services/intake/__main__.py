"""`python -m services.intake`: run intake until it is told to stop."""

from functools import partial

from services.intake.app import create_app
from services.intake.settings import IntakeSettings
from shared.kit.service.service import serve

if __name__ == "__main__":
    settings = IntakeSettings()
    serve(partial(create_app, settings), "intake", settings, settings.helpers)
