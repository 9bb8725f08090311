"""Who holds the token of a report: they are its person, as far as the pages know."""

from starlette.requests import Request

from services.intake.domain.tokens import read_token
from services.intake.store import own_reports
from services.intake.store.own_reports import OwnReport
from services.intake.use_cases.context import IntakeContext


async def find_report(context: IntakeContext, request: Request) -> OwnReport | None:
    """Find the report that the token in the path opens."""
    claimed = read_token(request.path_params["token"])
    if claimed is None:
        return None
    async with context.database.statement() as connection:
        return await own_reports.find_report(connection, claimed)
