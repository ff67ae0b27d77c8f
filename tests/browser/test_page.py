"""The page in a real browser: post, watch it pending, see the video play; cancel, try again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Route,
    expect,
)

from actionreel import reconciliation
from actionreel.models import ErrorCode, VideoStatus
from local.stack import Stack
from tests.browser.conftest import PATIENCE


@pytest.fixture(scope="module", autouse=True)
def _soon_unknown() -> Iterator[None]:
    """Lost requests are looked for twice, and not for minutes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reconciliation, "RECONCILE_WAITS", (1,))
        yield


@pytest.fixture
def expected() -> list[str]:
    """What the browser may complain of, because the test itself has brought it about."""
    return []


@pytest.fixture
def page(browser: Browser, stack: Stack, expected: list[str]) -> Iterator[Page]:
    """A fresh page; what else the browser complains of fails the test."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(words in message.text for words in expected):
            complaints.append(message.text)

    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
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


def started(page: Page, prompt: str) -> Locator:
    """The card of a video that was just asked for."""
    send(page, f'<createAIVideo>{{"prompt": "{prompt}"}}</createAIVideo>')
    card = page.locator("#results > li")
    expect(card).to_have_count(1)
    return page.locator(f'#results > [data-video-id="{card.get_attribute("data-video-id")}"]')


def button(place: Locator, name: str) -> Locator:
    return place.get_by_role("button", name=name, exact=True)


def records(page: Page, prompt: str) -> list[dict[str, Any]]:
    """The records with this prompt, newest first."""
    answer = page.request.get(page.url + "videos", params={"limit": 100})
    videos: list[dict[str, Any]] = answer.json()["videos"]
    return [video for video in videos if video["prompt"] == prompt]


def wishes(page: Page) -> list[Request]:
    """The page's requests to cancel or to try again, as they are made."""
    made: list[Request] = []

    def listen(request: Request) -> None:
        if request.method == "DELETE" or request.url.endswith("/retry"):
            made.append(request)

    page.on("request", listen)
    return made


@pytest.mark.parametrize(("size", "width"), [("1280x720", 1280), ("720x1280", 720)])
def test_a_video_from_message_to_playing(page: Page, size: str, width: int) -> None:
    send(
        page,
        f'<createAIVideo>{{"prompt": "a boat, {size}", "seconds": 4, "size": "{size}"}}'
        "</createAIVideo>",
    )
    card = page.locator("#results > li").first
    expect(card).to_have_attribute("data-state", "completed")
    video = card.locator("video")
    video.evaluate("video => { video.muted = true; return video.play() }")
    player = video.element_handle()
    page.wait_for_function("video => video.currentTime > 0.6", arg=player, timeout=PATIENCE)
    assert video.evaluate("video => video.videoWidth") == width
    assert video.evaluate("video => Math.round(video.duration)") == 4
    assert video.evaluate("video => video.clientWidth") <= 600
    expect(card.locator(".facts")).to_contain_text("free")  # the studio takes nothing


def test_progress_is_shown(page: Page) -> None:
    send(page, '<createAIVideo>{"prompt": "[stuck] tide"}</createAIVideo>')
    bar = page.locator("#results > li progress").first
    expect(bar).to_have_attribute("value", re.compile(r"[1-9]"))


def test_an_error_says_why(page: Page) -> None:
    send(page, '<createAIVideo>{"prompt": "[create:moderation]"}</createAIVideo>')
    card = page.locator("#results > li").first
    expect(card).to_have_attribute("data-state", "error")
    expect(card).to_contain_text("refused this video for its content")


ERROR_CODES: tuple[str, ...] = get_args(ErrorCode)
A_SECOND_TIME = "Trying again may make, and bill, the video a second time."
NO_HELP = "Trying again unchanged will not help."


def test_an_unknown_outcome_is_not_called_hopeless(page: Page) -> None:
    send(page, '<createAIVideo>{"prompt": "[create:500]"}</createAIVideo>')
    card = page.locator("#results > li").first
    expect(card).to_contain_text("Outcome unknown")
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
    assert len(set(advice.pop("cancelled"))) == 1  # whatever else: there is nothing to try again
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
    expect(item).to_contain_text("for the history")
    expect(page.locator("#results > li").first).to_have_attribute("data-state", "completed")
    page.reload()
    item = page.locator("#history [data-video-id]", has_text="for the history").first
    item.locator("button, a").first.click()
    expect(page.locator("dialog video, #viewed video").first).to_be_visible()


def test_the_keyboard_is_enough(page: Page) -> None:
    page.locator("#message").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#results > li")).to_have_count(1)


def test_a_lost_connection_is_told_and_mended(page: Page, expected: list[str]) -> None:
    expected.append("net::ERR_")  # disconnected, or an open request that was cut
    send(page, '<createAIVideo>{"prompt": "[slow] after the cable was pulled"}</createAIVideo>')
    card = page.locator("#results > li").first
    expect(card).to_have_attribute("data-state", "pending")
    page.context.set_offline(True)
    expect(card).to_contain_text("onnection lost")
    page.context.set_offline(False)
    expect(card).to_have_attribute("data-state", "completed")


# ---- cancelling


def test_a_video_is_cancelled(page: Page) -> None:
    card = started(page, "[stuck] called off")
    expect(card).to_contain_text("Generating")
    button(card, "Cancel").press("Enter")
    expect(card.get_by_role("heading")).to_have_text("Cancelled")
    expect(card).to_contain_text("This video was cancelled at the provider")
    expect(card).to_contain_text("You may have been charged")
    expect(card).to_be_focused()  # the button is gone; the keyboard is still here
    expect(card.get_by_role("button")).to_have_count(0)
    expect(page.locator("#announcer")).to_contain_text("Cancelled: [stuck] called off")
    expect(page.locator("#history > li").first).to_contain_text("Cancelled")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("[cancel:405]", "This provider cannot cancel a video that it has begun; it goes on."),
        ("[poll:404*99]", "It is too late to cancel this video."),
    ],
)
def test_a_video_that_cannot_be_cancelled_goes_on(page: Page, words: str, sentence: str) -> None:
    card = started(page, f"[stuck] {words}")
    expect(card).to_contain_text("Generating")
    button(card, "Cancel").press("Enter")
    expect(card.locator(".outcome")).to_have_text(sentence)
    expect(page.locator("#announcer")).to_contain_text(sentence)
    expect(button(card, "Cancel")).to_be_hidden()
    expect(card).to_be_focused()
    expect(card).to_have_attribute("data-state", "pending")


def test_the_answer_to_a_wish_can_bring_the_end(page: Page) -> None:
    """The page still thinks that the video is being made, when it is there already."""
    card = started(page, "[slow] there already")
    address = f"{page.url}videos/{card.get_attribute('data-video-id')}"
    before = page.request.get(address).json()

    def as_before(route: Route) -> None:
        answers = {address: before}.get(route.request.url, {"videos": [], "cursor": None})
        if route.request.method == "GET":
            route.fulfill(json=answers)
        else:
            route.continue_()

    page.route(re.compile(r"/videos(\?|/[^/]*$)"), as_before)
    until = 2 * PATIENCE // 500
    while page.request.get(address).json()["status"] != "completed" and until:
        until -= 1
        page.wait_for_timeout(500)
    expect(card).to_have_attribute("data-state", "pending")
    button(card, "Cancel").click()
    expect(card).to_have_attribute("data-state", "completed")
    expect(card.locator(".outcome")).to_have_text("It is too late to cancel this video.")


def test_a_trouble_leaves_the_button(page: Page, expected: list[str]) -> None:
    expected.append("status of 503")
    card = started(page, "[stuck] [cancel:503*1]")
    expect(card).to_contain_text("Generating")
    button(card, "Cancel").press("Enter")
    expect(card.locator(".outcome")).to_contain_text("Try again in a minute.")
    expect(card).to_have_attribute("data-state", "pending")
    expect(button(card, "Cancel")).to_be_focused()
    button(card, "Cancel").press("Enter")
    expect(card).to_have_attribute("data-status", "cancelled")
    expect(card.locator(".outcome")).to_be_hidden()


def test_not_while_the_provider_is_being_asked(page: Page, expected: list[str]) -> None:
    expected.append("status of 409")
    card = started(page, "[stuck] being asked for")
    sentence = "The provider is being asked for this video; try again in a minute."
    body = {"error": sentence, "code": "not_now"}

    def refuse(route: Route) -> None:
        if route.request.method == "DELETE":
            route.fulfill(status=409, json=body)
        else:
            route.continue_()

    page.route(f"**/videos/{card.get_attribute('data-video-id')}", refuse)
    button(card, "Cancel").click()
    expect(card.locator(".outcome")).to_have_text(sentence)
    expect(card).to_have_attribute("data-state", "pending")
    expect(button(card, "Cancel")).to_be_enabled()


def test_in_the_viewer_an_enter_that_is_held_cancels_nothing(page: Page) -> None:
    made = wishes(page)
    card = started(page, "[stuck] [cancel:405] in the viewer")
    expect(card).to_contain_text("Generating")
    item = page.locator("#history > li", has_text="in the viewer").first
    item.get_by_role("button").press("Enter")
    viewer = page.locator("#viewer")
    expect(button(viewer, "Close")).to_be_focused()
    assert made == []
    button(viewer, "Cancel").click()
    expect(viewer.locator(".outcome")).to_contain_text("cannot cancel")
    # Outside of an open dialog nothing is read out.
    expect(viewer.locator(".heard")).to_contain_text("cannot cancel")


# ---- trying again


def failed(page: Page, prompt: str) -> Locator:
    """The card of a video that has failed, and cost nothing."""
    card = started(page, f"[fail:server] {prompt}")
    expect(button(card, "Try again")).to_be_visible()
    expect(card.locator(".facts")).to_contain_text("not charged")
    return card


def unknown(page: Page, prompt: str) -> Locator:
    """The card of a video of which nobody knows whether it was made."""
    card = started(page, f"[create:500] {prompt}")
    expect(button(card, "Try again anyway")).to_be_visible()
    return card


def test_a_failed_video_is_tried_again(page: Page) -> None:
    older = failed(page, "once more")
    button(older, "Try again").press("Enter")
    expect(page.locator("#results > li")).to_have_count(2)
    newer = page.locator("#results > li").first
    expect(newer.locator(".facts")).to_contain_text("another try")
    expect(older).to_contain_text("This video was tried again.")
    expect(older).not_to_contain_text("Trying again may help")
    expect(older).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("Trying again: [fail:server] once more")
    button(older, "Show the new video").press("Enter")
    expect(newer).to_be_focused()
    new, old = records(page, "[fail:server] once more")
    assert (new["retryOf"], old["retriedAs"]) == (old["videoId"], new["videoId"])
    expect(page.locator("#history > li", has_text="tried again").first).to_contain_text("once more")


def test_a_video_of_the_list_is_tried_again(page: Page) -> None:
    failed(page, "from the list")
    page.reload()
    page.locator("#history > li", has_text="from the list").first.get_by_role("button").click()
    viewed = page.locator("#viewed")
    button(viewed, "Try again").click()
    expect(viewed).to_contain_text("This video was tried again.")
    expect(page.locator("#results > li")).to_have_count(1)  # for when the viewer is closed
    newer = page.locator("#results > li").get_attribute("data-video-id") or ""
    button(viewed, "Show the new video").click()
    expect(viewed).to_have_attribute("data-video-id", newer)
    expect(viewed).to_contain_text("another try")


def test_a_double_click_makes_one_video(page: Page) -> None:
    made = wishes(page)
    card = failed(page, "clicked twice")
    button(card, "Try again").dblclick()
    expect(card).to_contain_text("This video was tried again.")
    expect(page.locator("#results > li")).to_have_count(2)
    assert len(made) == 1
    assert len(records(page, "[fail:server] clicked twice")) == 2


def test_two_clicks_in_one_turn_make_one_request(page: Page) -> None:
    made = wishes(page)
    card = failed(page, "clicked by a script")
    button(card, "Try again").evaluate("button => { button.click(); button.click(); }")
    expect(card).to_contain_text("This video was tried again.")
    assert len(made) == 1


def test_after_a_lost_answer_trying_once_more_makes_no_second_video(
    page: Page, expected: list[str]
) -> None:
    expected.append("ERR_FAILED")
    card = failed(page, "unheard")

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/retry", lose, times=1)
    button(card, "Try again").click()
    expect(card.locator(".outcome")).to_contain_text("Trying once more is safe")
    button(card, "Try again").click()
    expect(card).to_contain_text("This video was tried again.")
    expect(card.locator(".outcome")).to_be_hidden()
    assert len(records(page, "[fail:server] unheard")) == 2


def test_what_may_be_charged_twice_is_asked_first(page: Page) -> None:
    made = wishes(page)
    card = unknown(page, "asked first")
    question = card.get_by_role("group", name="You may be charged twice.")
    expect(question).to_be_hidden()
    button(card, "Try again anyway").focus()
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")  # still held: this one must not answer
    page.keyboard.up("Enter")
    expect(question).to_contain_text("may have made this video already")
    expect(question.locator("p").first).to_be_focused()
    button(question, "Leave it").press("Enter")
    expect(question).to_be_hidden()
    expect(button(card, "Try again anyway")).to_be_focused()
    assert made == []
    assert len(records(page, "[create:500] asked first")) == 1


def test_a_second_charge_is_accepted(page: Page) -> None:
    made = wishes(page)
    card = unknown(page, "accepted")
    button(card, "Try again anyway").dblclick()  # asks, and does not answer
    assert made == []
    button(card, "Accept and try again").dblclick()
    expect(card).to_contain_text("This video was tried again.")
    expect(card.get_by_role("group")).to_be_hidden()
    expect(card).to_contain_text("You may have been charged for this attempt.")
    expect(page.locator("#results > li")).to_have_count(2)
    assert [json.loads(one.post_data or "") for one in made] == [{"acceptDoubleCharge": True}]
    assert len(records(page, "[create:500] accepted")) == 2


def test_only_a_record_is_tried_again(page: Page) -> None:
    """A result says "error" of what failed and of what may have been charged alike."""
    offered = page.evaluate(
        """async (statuses) => {
            const { canTryAgain } = await import("/static/words.js");
            const can = (video, read = true) => canTryAgain({ read, video });
            return {
                yes: statuses.filter((status) => can({ status })),
                unread: can({ status: "failed" }, false),
                tried: can({ status: "failed", retriedAs: "another" }),
            };
        }""",
        get_args(VideoStatus),
    )
    assert offered == {"yes": ["failed", "expired", "unknown"], "unread": False, "tried": False}
