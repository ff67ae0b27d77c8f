"""The page in a real browser: post, watch it pending, see the video play."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import get_args

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from actionreel.models import ErrorCode
from local.stack import Stack

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIDEO_SECONDS = 60_000  # milliseconds that a video may take

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A fresh page; what the browser complains of fails the test, but for our own pulled cable."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "ERR_INTERNET_DISCONNECTED" not in message.text:
            complaints.append(message.text)

    context = browser.new_context()
    opened = context.new_page()
    opened.on("console", listen)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(stack.url)
    yield opened
    context.close()
    assert complaints == []


def send(page: Page, text: str) -> None:
    page.locator("#message").fill(text)
    page.locator("#send").click()


@pytest.mark.parametrize(("size", "width"), [("1280x720", 1280), ("720x1280", 720)])
def test_a_video_from_message_to_playing(page: Page, size: str, width: int) -> None:
    send(
        page,
        f'<createAIVideo>{{"prompt": "a boat, {size}", "seconds": 4, "size": "{size}"}}'
        "</createAIVideo>",
    )
    card = page.locator("#results > li").first
    expect(card).to_have_attribute("data-state", "pending")
    expect(card).to_have_attribute("data-state", "completed", timeout=VIDEO_SECONDS)
    video = card.locator("video")
    video.evaluate("video => { video.muted = true; return video.play() }")
    page.wait_for_timeout(600)
    first = video.evaluate("video => video.currentTime")
    page.wait_for_timeout(600)
    assert video.evaluate("video => video.currentTime") > first > 0
    assert video.evaluate("video => video.videoWidth") == width
    assert video.evaluate("video => Math.round(video.duration)") == 4
    assert video.evaluate("video => video.clientWidth") <= 600
    expect(card.locator(".facts")).to_contain_text("free")  # the studio takes nothing


def test_progress_is_shown(page: Page) -> None:
    send(page, '<createAIVideo>{"prompt": "[slow] tide"}</createAIVideo>')
    bar = page.locator("#results > li progress").first
    expect(bar).to_have_attribute("value", re.compile(r"[1-9]"), timeout=VIDEO_SECONDS)


def test_an_error_says_why(page: Page) -> None:
    send(page, '<createAIVideo>{"prompt": "[create:moderation]"}</createAIVideo>')
    card = page.locator("#results > li").first
    expect(card).to_have_attribute("data-state", "error", timeout=VIDEO_SECONDS)
    expect(card).to_contain_text("refused this video for its content")


ERROR_CODES: tuple[str, ...] = get_args(ErrorCode)
A_SECOND_TIME = "Trying again may make, and bill, the video a second time."
NO_HELP = "Trying again unchanged will not help."


def test_an_unknown_outcome_is_not_called_hopeless(page: Page) -> None:
    send(page, '<createAIVideo>{"prompt": "[create:500]"}</createAIVideo>')
    card = page.locator("#results > li").first
    expect(card).to_contain_text("Outcome unknown", timeout=VIDEO_SECONDS)
    expect(card).to_contain_text(A_SECOND_TIME)
    expect(card).to_contain_text("You may have been charged")
    expect(card).not_to_contain_text("will not help")


def test_the_advice_is_true_of_every_code(page: Page) -> None:
    advice: dict[str, list[str]] = page.evaluate(
        """async (codes) => {
            const { adviceOf } = await import("/static/words.js");
            const told = (code) => [false, true].flatMap((maybeCharged) => [
                adviceOf({ code, retryable: true }, maybeCharged),
                adviceOf({ code, retryable: false }, maybeCharged),
            ]);
            return Object.fromEntries(codes.map((code) => [code, told(code)]));
        }""",
        ERROR_CODES,
    )
    perhaps_made = {"outcome_unknown", "timeout", "storage"}
    hopeless = {"invalid_action", "too_many_actions", "not_found", "invalid_input"}
    for code, (may_help, may_not, *charged) in advice.items():
        assert charged == [A_SECOND_TIME] * 2
        assert may_help == (A_SECOND_TIME if code in perhaps_made else "Trying again may help.")
        assert (may_not == A_SECOND_TIME) == (code in perhaps_made)
        assert (may_not == NO_HELP) == (code in hopeless)
        assert may_not


@pytest.mark.parametrize(
    ("usd", "words"),
    [(0, "free"), (0.004, "under US$0.01"), (0.4, "US$0.40"), (12, "US$12.00"), (None, None)],
)
def test_a_price_in_words(page: Page, usd: float | None, words: str | None) -> None:
    told = page.evaluate(
        'async (usd) => (await import("/static/words.js")).costOf(usd)',
        usd,
    )
    assert told == words


def test_a_message_without_actions(page: Page) -> None:
    send(page, "Hello.")
    expect(page.locator("#notice")).to_contain_text("No action")
    expect(page.locator("#results > li")).to_have_count(0)


def test_markup_is_text(page: Page) -> None:
    markup = "<img src=x onerror=alert(1)>"
    send(page, f'<createAIVideo>{{"prompt": "{markup} [fail:server]"}}</createAIVideo>')
    card = page.locator("#results > li").first
    expect(card).to_contain_text(markup)
    assert card.locator("img[src=x]").count() == 0


def test_the_history_lists_and_plays(page: Page) -> None:
    send(page, '<createAIVideo>{"prompt": "[instant] for the history"}</createAIVideo>')
    item = page.locator("#history [data-video-id]").first
    expect(item).to_contain_text("for the history", timeout=VIDEO_SECONDS)
    expect(page.locator("#results > li").first).to_have_attribute(
        "data-state", "completed", timeout=VIDEO_SECONDS
    )
    page.reload()
    item = page.locator("#history [data-video-id]", has_text="for the history").first
    item.locator("button, a").first.click()
    expect(page.locator("dialog video, #viewed video").first).to_be_visible()


def test_the_keyboard_is_enough(page: Page) -> None:
    page.locator("#message").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#results > li")).to_have_count(1)


def test_a_lost_connection_is_told_and_mended(page: Page) -> None:
    send(page, '<createAIVideo>{"prompt": "after the cable was pulled"}</createAIVideo>')
    card = page.locator("#results > li").first
    expect(card).to_have_attribute("data-state", "pending")
    page.context.set_offline(True)
    expect(card).to_contain_text("onnection lost", timeout=VIDEO_SECONDS)
    page.context.set_offline(False)
    expect(card).to_have_attribute("data-state", "completed", timeout=VIDEO_SECONDS)
