"""Out to the OpenID provider and back. Only who has an account already is signed in."""

import hmac

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse
from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import ValidationError

from data import staff as accounts
from domain.errors import NotAuthenticated, NotFound
from ui import cookies
from ui.access import Pages, local_path, open_to_all
from ui.cookies import Cookie
from ui.oidc import Begun, Provider
from ui.parts import Has, UiParts
from ui.routes.login import begun as session_begun
from ui.routes.login import form

router = Pages()

PATH = "/login/oidc"
RETURN_PATH = f"{PATH}/return"
KEPT_S = 600
STRANGER = "There is no account for you here. Ask an administrator."
OLD = "That took too long, or was begun in another browser. Try again."


# Not a form: browsers refuse one that leads to another site under our content security policy.
@router.get(PATH, dependencies=[Depends(open_to_all)])
async def go(request: Request, parts: Has, next: str = "/") -> Response:
    """To the provider."""
    address, begun = await _provider(parts).begin(local_path(next))
    response = RedirectResponse(address, status_code=303)
    kept = _signer(parts).dumps(begun.model_dump(mode="json"))
    cookies.put(request, response, Cookie.OIDC, kept, max_age=KEPT_S)
    return response


@router.get(RETURN_PATH, dependencies=[Depends(open_to_all)])
async def come_back(
    request: Request, parts: Has, state: str = "", code: str = "", error: str = "", iss: str = ""
) -> Response:
    """From the provider: signed in, or the form again with what was wrong."""
    provider, begun = _provider(parts), _begun(request, parts)
    response: Response
    if begun is None or not hmac.compare_digest(begun.state.encode(), state.encode()):
        response = form(request, next="/", refusal=OLD, status=401)
    elif error or not code or iss not in ("", provider.issuer):
        response = form(request, next=begun.next, refusal=f"{provider.name} did not sign you in.", status=401)
    else:
        response = await _signed_in(request, parts, provider, begun, code)
    cookies.drop(request, response, Cookie.OIDC)
    return response


async def _signed_in(request: Request, parts: UiParts, provider: Provider, begun: Begun, code: str) -> Response:
    try:
        identity = await provider.finish(begun, code=code)
        staff_id = await parts.database.write(
            lambda s: accounts.recognise(s, email=identity.email, subject=identity.subject)
        )
    except NotAuthenticated as error:
        return form(request, next=begun.next, refusal=f"Not signed in: {error}.", status=401)
    except NotFound:
        return form(request, next=begun.next, refusal=STRANGER, status=401)
    return await session_begun(request, parts, staff_id, way="oidc", next=begun.next)


def _provider(parts: UiParts) -> Provider:
    if parts.oidc is None:
        raise NotFound("there is nothing at this address")
    return parts.oidc


def _begun(request: Request, parts: UiParts) -> Begun | None:
    try:
        return Begun.model_validate(_signer(parts).loads(cookies.read(request, Cookie.OIDC) or "", max_age=KEPT_S))
    except (BadData, ValidationError):
        return None


def _signer(parts: UiParts) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(parts.secret, salt="oidc")
