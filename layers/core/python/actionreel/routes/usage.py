"""The route of what a tenant has used."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from actionreel import bootstrap
from actionreel.accounts import Amount, days
from actionreel.api_models import CapsView, UsageView, UsedView
from actionreel.routes.answers import gives
from actionreel.routes.router import Router

router = Router()


@router.get(
    "/usage",
    summary="What was used, and how much may be",
    description="Today (of UTC), the caps, and the days before, newest first.",
    responses=gives(200, "The account", UsageView, 422),
)
def get_usage(
    before: Annotated[
        int,
        Query(alias="days", ge=0, le=90, description="How many days before today.", examples=[7]),
    ] = 0,
) -> UsageView:
    tenant = router.tenant
    services = bootstrap.services()
    today = services.now().date()
    own, everybodys = services.accounts.of(tenant, today)
    earlier = days(today - timedelta(days=1), before)
    used = services.accounts.usage(tenant, earlier) if earlier else {}
    return UsageView(
        today=_used(today, own.used),
        running=own.running,
        caps=CapsView.model_validate(own.caps.model_dump()),
        deployment_caps=CapsView.model_validate(everybodys.caps.model_dump()),
        paused=own.paused or everybodys.paused,
        resets_at=datetime.combine(today + timedelta(days=1), time(), UTC),
        days=[_used(day, amount) for day, amount in used.items()],
    )


def _used(day: date, amount: Amount) -> UsedView:
    return UsedView(day=day, videos=amount.videos, seconds=amount.seconds, usd=float(amount.usd))
