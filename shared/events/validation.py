"""Words for the errors of pydantic, without the values that were refused: they may be personal."""

from pydantic import ValidationError


def list_errors(error: ValidationError, whole: str = "") -> list[str]:
    """Return each error as "where: what is wrong".

    `whole` is the place of an error that belongs to no single field, such as "body".
    """
    return [
        # the message about an unknown type would quote it
        f"{'.'.join(map(str, each['loc'])) or whole}: "
        f"{'unknown event type' if each['type'] == 'union_tag_invalid' else each['msg']}"
        for each in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def first_error(error: ValidationError, whole: str) -> str:
    """Return the first error as "where: what is wrong"."""
    return list_errors(error, whole)[0]
