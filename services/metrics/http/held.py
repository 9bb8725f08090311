"""Everything that is held about one case, for the person whom it is about."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.metrics.store.held import list_held
from shared.kit.database import Database
from shared.kit.replies import for_staff, refuse, reply


def held_routes(database: Database, staff_key: str) -> list[Route]:
    """Serve `/cases/{case_id}/held`."""

    async def held(request: Request) -> Response:
        try:
            case_id = UUID(request.path_params["case_id"])
        except ValueError:
            return refuse(422, "The address holds the id of a case (a UUID).")
        async with database.transaction(announced=False) as tx:
            rows = await list_held(tx, case_id)
        return reply({"service": "metrics", "case_id": str(case_id), "held": rows})

    return [Route("/cases/{case_id}/held", for_staff(held, staff_key))]
