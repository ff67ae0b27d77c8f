"""The page where Actionreel asks for an API key, in a real browser; at home it asks for none."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.browser.test_page import (
    _soon_unknown,
    button,
    expected,
    page,
    send,
    started,
)

__all__ = ["_soon_unknown", "expected", "page"]

KEY = "ar_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
ROUTES = re.compile(r"/(actions|videos(/[^/]+(/retry)?)?)(\?.*)?$")
STORES = "() => [sessionStorage, localStorage].map((one) => Object.values(one))"


class Door:
    """Lets requests of the API in that carry one of the `keys`, as the cloud's authorizer does."""

    def __init__(self, page: Page, refusal: int = 401) -> None:
        self.keys = {KEY}
        self.refused: list[str | None] = []
        self._refusal = refusal
        page.context.route(ROUTES, self._meet)
        page.context.on("request", lambda request: self.addresses.append(request.url))
        self.addresses: list[str] = []

    def _meet(self, route: Route) -> None:
        scheme, _, key = (route.request.headers.get("authorization") or "").partition(" ")
        if scheme == "Bearer" and key in self.keys:
            headers = {**route.request.headers}
            del headers["authorization"]  # at home nobody knows this key
            route.continue_(headers=headers)
        else:
            self.refused.append(key or None)
            body = {"message": "Unauthorized" if self._refusal == 401 else "Forbidden"}
            route.fulfill(status=self._refusal, json=body)


@pytest.fixture(params=[401])
def door(request: Any, page: Page, expected: list[str]) -> Door:
    expected.append(f"status of {request.param}")
    made = Door(page, request.param)
    page.reload()
    return made


def form(page: Page) -> Locator:
    return page.get_by_role("region", name="API key")


def field_of(page: Page) -> Locator:
    return page.get_by_role("textbox", name="API key", exact=True)


def give(page: Page, key: str, *, remember: bool = False) -> None:
    field = field_of(page)
    field.fill(key)
    page.get_by_label("Remember it on this device").set_checked(remember)
    field.press("Enter")


def test_at_home_no_key_is_asked_for(page: Page) -> None:
    started(page, "[instant] at home")
    expect(form(page)).to_be_hidden()
    expect(page.locator("#key-kept")).to_be_hidden()
    assert page.evaluate(STORES) == [[], []]


@pytest.mark.parametrize("door", [401, 403], indirect=True)
def test_with_a_key_the_page_works_as_at_home(page: Page, door: Door) -> None:
    expect(form(page)).to_be_visible()
    expect(field_of(page)).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("asks for an API key")
    expect(page.locator("#history-note")).to_contain_text("when you have given a key")
    give(page, KEY)
    expect(form(page)).to_be_hidden()
    expect(page.locator("#announcer")).to_contain_text("The key works.")
    expect(page.locator("#message")).to_be_focused()
    expect(page.locator("#history-note")).not_to_contain_text("key")
    card = started(page, "[instant] behind the door")
    expect(card).to_have_attribute("data-state", "completed")
    video = card.locator("video")
    video.evaluate("video => { video.muted = true; return video.play() }")
    assert "?token=" in video.evaluate("video => video.src")
    link = card.get_by_role("link", name="Download").get_attribute("href") or ""
    assert re.search(r"[?]token=[^&?]+&download=1$", link)
    assert page.request.get(link, max_redirects=0).status == 302
    assert set(door.refused) == {None}
    assert not any(KEY in address for address in door.addresses)


@pytest.mark.parametrize(("remember", "stores"), [(False, [[KEY], []]), (True, [[], [KEY]])])
def test_the_key_is_kept_where_the_reader_wants_it(
    page: Page, door: Door, remember: bool, stores: list[list[str]]
) -> None:
    give(page, KEY, remember=remember)
    expect(form(page)).to_be_hidden()
    assert page.evaluate(STORES) == stores
    door.refused.clear()
    with page.expect_response(ROUTES) as listed:
        page.reload()
    assert listed.value.status == 200
    expect(form(page)).to_be_hidden()
    expect(page.locator("#key-kept")).to_contain_text("on this device" if remember else "this tab")
    assert door.refused == []
    another = page.context.new_page()
    another.goto(page.url)
    expect(form(another)).to_be_visible(visible=not remember)
    another.close()


def test_a_key_that_is_refused_is_not_kept(page: Page, door: Door) -> None:
    give(page, "ar_wrong", remember=True)
    expect(form(page)).to_contain_text("This key was refused.")
    field = field_of(page)
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#announcer")).to_contain_text("This key was refused.")
    assert page.evaluate(STORES) == [[], []]
    give(page, KEY)
    expect(form(page)).to_be_hidden()


@pytest.mark.parametrize("key", ["", "  ", "ar_ two words", "ar_é", "ar_\u200b"])
def test_what_can_be_no_key_is_not_sent(page: Page, door: Door, key: str) -> None:
    expect(form(page)).to_be_visible()
    before = len(door.refused)
    give(page, key)
    expect(form(page).locator("#key-fault")).to_be_visible()
    assert len(door.refused) == before


def test_a_key_can_be_shown(page: Page, door: Door) -> None:
    field = field_of(page)
    expect(field).to_have_attribute("type", "password")
    show = form(page).get_by_role("button", name="Show")
    show.click()
    expect(field).to_have_attribute("type", "text")
    expect(show).to_have_attribute("aria-pressed", "true")
    give(page, KEY)
    expect(form(page)).to_be_hidden()
    hidden = page.locator("#key-field")
    expect(hidden).to_have_value("")
    expect(hidden).to_have_attribute("type", "password")


def test_a_key_is_forgotten_with_all_that_it_showed(page: Page, door: Door) -> None:
    give(page, KEY, remember=True)
    started(page, "[instant] soon out of sight")
    page.get_by_role("button", name="Forget it").click()
    expect(form(page)).to_be_visible()
    expect(page.locator("#history > li")).to_have_count(0)
    expect(page.locator("#results > li")).to_have_count(0)
    expect(page.locator("#key-kept")).to_be_hidden()
    assert page.evaluate(STORES) == [[], []]


def test_a_key_that_is_revoked_meanwhile_is_asked_for_and_all_goes_on(
    page: Page, door: Door
) -> None:
    give(page, KEY)
    card = started(page, "[stuck] revoked meanwhile")
    expect(card).to_contain_text("Generating")
    door.keys = {"ar_new"}
    expect(card).to_contain_text("Waiting for an API key")
    expect(form(page)).to_contain_text("This key was refused.")
    asked = len(door.refused)
    page.wait_for_timeout(4000)
    assert len(door.refused) <= asked + 1, "the page asks on with a key that is refused"
    give(page, "ar_new")
    expect(card).to_contain_text("Generating")
    expect(card).not_to_contain_text("key")


def test_a_message_is_not_lost_for_want_of_a_key(page: Page, door: Door) -> None:
    text = '<createAIVideo>{"prompt": "[instant] kept"}</createAIVideo>'
    send(page, text)
    expect(page.locator("#notice")).to_contain_text("Your message is still here.")
    expect(page.locator("#message")).to_have_value(text)
    expect(field_of(page)).to_be_focused()
    give(page, KEY)
    expect(page.locator("#notice")).to_be_hidden()
    page.locator("#send").click()
    expect(page.locator("#results > li")).to_have_attribute("data-state", "completed")


def test_trouble_while_a_key_is_tried_says_nothing_of_the_key(
    page: Page, door: Door, expected: list[str]
) -> None:
    expected.append("status of 500")
    page.route(ROUTES, lambda route: route.fulfill(status=500, json={"message": "x"}), times=1)
    give(page, KEY)
    expect(form(page)).to_contain_text("Try again in a minute.")
    expect(form(page)).not_to_contain_text("refused")
    button(form(page), "Use this key").click()
    expect(form(page)).to_be_hidden()


@pytest.mark.parametrize("store", ["sessionStorage", "localStorage"])
def test_without_the_browsers_storage_a_key_works_until_the_page_is_left(
    page: Page, door: Door, store: str
) -> None:
    context: BrowserContext = page.context
    context.add_init_script(
        f"Object.defineProperty(window, '{store}', {{ get() {{ throw new Error('off'); }} }});"
    )
    page.reload()
    give(page, KEY, remember=store == "localStorage")
    expect(form(page)).to_be_hidden()
    card = started(page, "[instant] without a store")
    expect(card).to_have_attribute("data-state", "completed")


def test_a_new_link_of_a_video_does_not_interrupt_it(page: Page) -> None:
    card = started(page, "[instant] a new link")
    expect(card).to_have_attribute("data-state", "completed")
    video_id = card.get_attribute("data-video-id") or ""
    before, after = page.evaluate(
        """async (id) => {
            const { learnRecord } = await import("/static/videos.js");
            const video = document.querySelector("#results video");
            const before = video.src;
            const answer = await fetch(`/videos/${id}/links`, { method: "DELETE" });
            learnRecord(await answer.json());
            return [before, video.src];
        }""",
        video_id,
    )
    assert before == after
    link = card.get_by_role("link", name="Download").get_attribute("href") or ""
    assert not link.startswith(before)
    assert page.request.get(link, max_redirects=0).status == 302
