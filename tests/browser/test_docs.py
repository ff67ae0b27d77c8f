"""The page of the API in a real browser: it lists what there is, takes a key and tries it out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from local.stack import Stack
from tests.browser.conftest import PATIENCE

LIST = "#operations-Videos-listVideos"


def opened(browser: Browser, stack: Stack, complaints: list[str], **options: Any) -> Page:
    def leaving(request: Request) -> None:
        if not request.url.startswith((stack.url, "data:")):
            complaints.append(request.url)

    page = browser.new_context(**options).new_page()
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.on("request", leaving)
    page.set_default_timeout(PATIENCE)
    page.goto(f"{stack.url}/docs")
    page.wait_for_selector(".opblock")
    return page


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """The page, opened; what the browser says of it, and a request elsewhere, fails the test."""
    complaints: list[str] = []
    page = opened(browser, stack, complaints)
    yield page
    page.context.close()
    assert complaints == []


def test_every_operation_is_listed(page: Page, api: httpx.Client) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    operations = [(path, method) for path, methods in paths.items() for method in methods]
    expect(page.locator(".opblock")).to_have_count(len(operations))
    listed = {
        (block.locator(".opblock-summary-path").inner_text().replace("\u200b", ""), method.lower())
        for block in page.locator(".opblock").all()
        for method in [block.locator(".opblock-summary-method").inner_text()]
    }
    assert listed == set(operations)


def test_a_request_is_tried_out_with_the_key_that_was_typed_in(page: Page) -> None:
    page.route("**/videos?**", lambda route: route.fulfill(json={"videos": [], "cursor": None}))
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".modal-ux input").fill("ar_secret")
    page.locator(".modal-ux").get_by_role("button", name="Apply credentials").click()
    page.locator(".modal-ux .btn-done").click()
    page.locator(f"{LIST} .opblock-summary-control").click()
    with page.expect_request("**/videos?**") as asked:
        page.locator(f"{LIST} .execute").click()
    assert asked.value.headers["authorization"] == "Bearer ar_secret"
    assert page.evaluate("Object.keys({...localStorage, ...sessionStorage})") == []


def test_a_request_is_executed(page: Page) -> None:
    page.locator(f"{LIST} .opblock-summary-control").click()
    with page.expect_response("**/videos?limit=20") as answered:
        page.locator(f"{LIST} .execute").click()
    assert answered.value.status == 200
    answer = page.locator(f"{LIST} .live-responses-table")
    expect(answer.locator(".response-col_status").last).to_have_text("200")
    expect(answer).to_contain_text('"cursor"')


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_follows_its_colours(
    browser: Browser, stack: Stack, scheme: str
) -> None:
    complaints: list[str] = []
    phone = {"width": 360, "height": 780}
    page = opened(browser, stack, complaints, viewport=phone, color_scheme=scheme)
    page.locator(f"{LIST} .opblock-summary-control").click()
    page.locator(f"{LIST} .execute").click()
    expect(page.locator(f"{LIST} .live-responses-table").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= phone["width"]
    red = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
    assert (int(red) < 128) == (scheme == "dark")
    page.context.close()
    assert complaints == []
