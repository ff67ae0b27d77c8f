"""The chat window in a real browser: write, wait, see the video play; buttons, rooms, outages."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    expect,
)

from local.chat.room import FakePlatform, Shown
from local.chat.server import ChatServer
from local.studio.render import render
from tests.browser.conftest import PATIENCE
from tests.chat_platform import Platform

CANCEL, RETRY = ("Cancel", "cancel:v"), ("Try again", "retry:v")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder: Path = tmp_path_factory.mktemp("film")
    return render(folder, "a boat", "", "640x360", 2, lambda _: None)[0].read_bytes()


@pytest.fixture
def platforms() -> list[Platform]:
    return [Platform("slack"), Platform("discord"), Platform("telegram")]


@pytest.fixture
def slack(platforms: list[Platform]) -> Platform:
    return platforms[0]


@pytest.fixture
def server(platforms: list[Platform]) -> Iterator[ChatServer]:
    played: list[FakePlatform] = [*platforms]
    with ChatServer(played) as running:
        yield running


@pytest.fixture
def expected() -> list[str]:
    """What the browser may complain of, because the test itself has brought it about."""
    return []


@pytest.fixture
def page(browser: Browser, server: ChatServer, expected: list[str]) -> Iterator[Page]:
    """A fresh window; what else the browser complains of fails the test."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(words in message.text for words in expected):
            complaints.append(message.text)

    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    opened.on("console", listen)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(server.url)
    expect(opened.get_by_role("tab")).to_have_count(3)
    yield opened
    context.close()
    assert complaints == []


def write(page: Page, text: str) -> None:
    box = page.get_by_role("textbox", name="Message")
    box.fill(text)
    box.press("Enter")
    expect(box).to_have_value("")


def messages(page: Page) -> Locator:
    return page.locator(".messages:not([hidden]) > li")


def button(place: Page | Locator, name: str) -> Locator:
    return place.get_by_role("button", name=name, exact=True)


def test_from_the_words_to_the_video(page: Page, slack: Platform, film: bytes) -> None:
    expect(page.get_by_role("heading", name="Ask for a video")).to_be_visible()
    write(page, "/video a boat --seconds 4")
    mine, answer = messages(page).nth(0), messages(page).nth(1)
    expect(mine).to_contain_text("/video a boat --seconds 4")
    expect(page.get_by_role("heading", name="Ask for a video")).to_be_hidden()
    expect(answer.get_by_role("img", name="Still writing")).to_be_visible()

    node = answer.element_handle()
    for percent in (10, 60):
        slack.room.edit(slack.answer(), pending=False, text=f"{percent} %")
        expect(answer.locator(".text")).to_have_text(f"{percent} %")
    expect(answer.get_by_role("img", name="Still writing")).to_be_hidden()
    expect(page.locator("#announcer")).to_contain_text("10 %")
    expect(page.locator("#announcer")).not_to_contain_text("60 %")  # a tick is no news

    slack.room.edit(slack.answer(), text="Ready", video=film, filename="boat.mp4")
    video = answer.locator("video")
    video.evaluate("video => { video.muted = true; return video.play() }")
    player = video.element_handle()
    page.wait_for_function("video => video.currentTime > 0.3", arg=player, timeout=PATIENCE)
    assert video.evaluate("video => [video.videoWidth, video.playsInline, video.controls]") == [
        640,
        True,
        True,
    ]
    box = video.bounding_box()
    assert (
        box and box["width"] <= 600 and box["width"] / box["height"] == pytest.approx(16 / 9, 0.02)
    )
    expect(page.locator("#announcer")).to_contain_text("Video: boat.mp4")

    slack.room.edit(slack.answer(), text="Ready, and kept")
    expect(answer.locator(".text")).to_have_text("Ready, and kept")
    assert answer.evaluate("(now, before) => now === before", node)  # changed in its place
    assert video.evaluate("(now, before) => now === before", player)
    assert video.evaluate("video => video.currentTime > 0")


def test_a_player_can_go_to_any_place(page: Page, slack: Platform, film: bytes) -> None:
    slack.room.add(Shown("1", "bot", video=film))
    video = page.locator("video")
    expect(video).to_be_visible()
    page.wait_for_function("() => document.querySelector('video').readyState > 0", timeout=PATIENCE)
    video.evaluate("video => { video.currentTime = 1.5 }")
    page.wait_for_function("() => !document.querySelector('video').seeking", timeout=PATIENCE)
    assert video.evaluate("video => video.currentTime") == 1.5


def test_a_film_that_cannot_be_played(page: Page, slack: Platform, film: bytes) -> None:
    slack.room.add(Shown("1", "bot", video=struct.pack(">I", 8) + b"none", filename="odd.mp4"))
    expect(messages(page)).to_contain_text("This video cannot be played here.")
    expect(messages(page).get_by_role("link", name="Save")).to_have_attribute("download", "odd.mp4")


def test_a_button_is_pressed_once(page: Page, slack: Platform) -> None:
    slack.room.add(Shown("1", "bot", "10 %", buttons=(CANCEL,)))
    cancel = button(page, "Cancel")
    cancel.focus()
    for _ in range(3):
        cancel.press("Enter")
    expect(cancel).to_have_attribute("aria-disabled", "true")
    expect(cancel).to_be_focused()
    page.wait_for_timeout(1600)  # two looks that find nothing new
    expect(cancel).to_have_attribute("aria-disabled", "true")
    assert slack.pressed == [("1", "cancel:v")]

    slack.room.edit("1", text="Too late, it goes on.")
    expect(cancel).not_to_have_attribute("aria-disabled", "true")
    slack.room.edit("1", text="Failed.", buttons=(RETRY,))
    expect(cancel).to_have_count(0)
    expect(messages(page)).to_be_focused()  # the button had the focus, and is gone
    button(page, "Try again").click()
    slack.room.add(Shown("2", "bot", "Once more."))
    expect(button(page, "Try again")).not_to_have_attribute("aria-disabled", "true")
    assert slack.pressed == [("1", "cancel:v"), ("1", "retry:v")]


def test_what_the_platform_refuses(page: Page, slack: Platform, expected: list[str]) -> None:
    expected.append("status of 502")
    slack.room.add(Shown("1", "bot", "10 %", buttons=(CANCEL,)))
    slack.trouble = '/video failed with the error "operation_timeout"'
    button(page, "Cancel").click()
    expect(page.locator("#notice")).to_have_text(slack.trouble)
    expect(button(page, "Cancel")).not_to_have_attribute("aria-disabled", "true")
    box = page.get_by_role("textbox")
    box.fill("/video a boat")
    box.press("Enter")
    expect(messages(page)).to_have_count(2)  # as the real ones show it
    expect(box).to_have_value("/video a boat")
    expect(page.locator("#notice")).to_have_text(slack.trouble)
    slack.trouble = ""
    box.press("Enter")
    expect(messages(page)).to_have_count(4)
    expect(page.locator("#notice")).to_be_hidden()


def test_every_platform_has_its_room(page: Page, platforms: list[Platform]) -> None:
    write(page, "in Slack")
    expect(page.locator("#played")).to_contain_text("plays Slack on this machine")
    page.get_by_role("tab", name="Slack").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Discord")).to_be_focused()
    expect(page.get_by_role("tab", name="Discord")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel", name="Discord")).to_be_visible()
    expect(page.locator("#played")).to_contain_text("plays Discord on this machine")
    expect(messages(page)).to_have_count(0)
    expect(page.get_by_role("heading", name="Ask for a video")).to_be_visible()
    write(page, "in Discord")
    expect(messages(page).first).to_contain_text("in Discord")
    page.keyboard.press("Shift+Tab")
    page.reload()
    expect(page.get_by_role("tab", name="Discord")).to_have_attribute("aria-selected", "true")
    expect(messages(page).first).to_contain_text("in Discord")
    page.get_by_role("tab", name="Slack").click()
    expect(messages(page).first).to_contain_text("in Slack")
    assert [len(platform.room.messages()) for platform in platforms] == [2, 2, 0]


def test_examples_fill_the_box(page: Page, slack: Platform) -> None:
    examples = page.get_by_role("group", name="Examples").get_by_role("button")
    expect(examples).to_have_count(3)
    examples.first.press("Enter")
    box = page.get_by_role("textbox")
    expect(box).to_be_focused()
    expect(box).to_have_value("/video a paper boat in the rain --seconds 4")
    assert slack.room.messages() == []
    box.press("Shift+Enter")  # another line
    box.press("Enter")
    expect(messages(page)).to_have_count(2)


def test_the_server_goes_and_comes_back(
    page: Page, server: ChatServer, platforms: list[Platform], expected: list[str]
) -> None:
    expected.append("net::ERR_")  # refused, reset, not connected: whichever the moment makes of it
    port = int(server.url.rpartition(":")[2])
    write(page, "before")
    expect(messages(page)).to_have_count(2)
    server.stop()
    expect(page.locator("#gone")).to_contain_text("Actionreel has stopped.")
    box = page.get_by_role("textbox")
    box.fill("meanwhile")
    box.press("Enter")
    expect(page.locator("#notice")).to_be_visible()
    expect(box).to_have_value("meanwhile")

    fresh = Platform("slack")
    fresh.write("after")
    played: list[FakePlatform] = [fresh, *platforms[1:]]
    with ChatServer(played, port):
        expect(page.locator("#gone")).to_be_hidden()
        expect(messages(page).first).to_contain_text("after")
        expect(messages(page)).to_have_count(2)  # what was before is gone, and not shown
        box.press("Enter")
        expect(messages(page)).to_have_count(4)
        page.close()


def test_it_opens_before_there_is_a_server(browser: Browser, platforms: list[Platform]) -> None:
    played: list[FakePlatform] = [*platforms]
    context = browser.new_context()
    page = context.new_page()
    with ChatServer(played) as server:
        page.route("**/rooms", lambda route: route.abort())
        page.goto(server.url)
        expect(page.locator("#gone")).to_contain_text("Actionreel has stopped.")
        page.unroute("**/rooms")
        expect(page.get_by_role("tab")).to_have_count(3)
        expect(page.locator("#gone")).to_be_hidden()
        context.close()


def test_markup_is_text_and_only_the_web_is_linked(page: Page, slack: Platform) -> None:
    markup = "<img src=x onerror=alert(1)>"
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    slack.room.add(
        Shown("1", "bot", f"{markup} see https://example.com/a?b=1, javascript:alert(1) and http://",
              buttons=((markup, markup),), url="javascript:alert(1)", filename=markup)
    )  # fmt: skip
    slack.room.add(Shown("2", "bot", "between"))
    slack.room.add(Shown("3", "bot", "b", thread="1", video=b"", filename=markup))
    write(page, markup)
    expect(messages(page)).to_have_count(5)
    expect(messages(page).first).to_contain_text(markup)
    expect(button(messages(page).first, markup)).to_be_visible()
    late = messages(page).nth(2)
    expect(late.locator(".quoted")).to_contain_text(markup)
    expect(late.locator("video")).to_have_attribute("aria-label", markup)
    expect(messages(page).nth(3)).to_contain_text(markup)
    assert page.locator("#room .messages img").count() == 0
    links = messages(page).first.get_by_role("link")
    expect(links).to_have_count(1)
    expect(links).to_have_attribute("href", "https://example.com/a?b=1")
    expect(links).to_have_attribute("rel", "noopener noreferrer")


def test_an_answer_that_comes_late_says_to_what(page: Page, slack: Platform) -> None:
    asked = slack.write("the first")
    slack.write("the second")
    slack.room.add(Shown("9", "bot", "late", thread=asked, only_you=True))
    late = messages(page).nth(4)
    expect(late.locator(".quoted")).to_have_text("the first")
    expect(late).to_contain_text("Only you see this")
    expect(messages(page).nth(1).locator(".quoted")).to_be_hidden()


def test_a_message_that_is_taken_away(page: Page, slack: Platform) -> None:
    write(page, "hello")
    expect(messages(page)).to_have_count(2)
    slack.room.remove(slack.answer())
    expect(messages(page)).to_have_count(1)


def test_the_newest_is_in_sight_unless_one_reads_further_up(page: Page, slack: Platform) -> None:
    for number in range(30):
        slack.room.add(Shown(str(number), "bot", f"line {number}"))
    expect(messages(page).nth(29)).to_be_in_viewport()
    page.locator("#pane").evaluate("pane => { pane.scrollTop = 0 }")
    expect(button(page, "Latest messages ↓")).to_be_visible()
    slack.room.add(Shown("30", "bot", "news"))
    expect(messages(page)).to_have_count(31)
    expect(messages(page).first).to_be_in_viewport()
    button(page, "Latest messages ↓").click()
    expect(messages(page).nth(30)).to_be_in_viewport()
    slack.room.add(Shown("31", "bot", "more"))
    expect(messages(page).nth(31)).to_be_in_viewport()


def test_what_comes_while_the_pane_moves_is_followed(page: Page, slack: Platform) -> None:
    """Browsers tell of a movement a while later: what came meanwhile is nobody's doing."""
    for number in range(30):
        slack.room.add(Shown(str(number), "bot", f"line {number}"))
    expect(messages(page).nth(29)).to_be_in_viewport()
    page.locator("#pane").evaluate(
        """pane => {
            const tall = document.createElement("div");
            tall.style.height = "400px";
            document.getElementById("lists").append(tall);
            pane.dispatchEvent(new Event("scroll"));
        }"""
    )
    expect(button(page, "Latest messages ↓")).to_be_hidden()
    slack.room.add(Shown("30", "bot", "news"))
    expect(messages(page)).to_have_count(31)
    below = "pane => pane.scrollHeight - pane.clientHeight - pane.scrollTop < 80"
    page.wait_for_function(f"() => ({below})(document.getElementById('pane'))")
    expect(button(page, "Latest messages ↓")).to_be_hidden()


def test_a_small_screen_shows_everything(page: Page, slack: Platform, film: bytes) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    slack.room.add(Shown("1", "bot", "w" * 500 + " https://example.com/" + "a" * 300))
    slack.room.add(Shown("2", "bot", "v", video=film, filename="f" * 200, buttons=(CANCEL, RETRY)))
    slack.room.add(Shown("3", "bot", "late", thread="1"))
    write(page, "u" * 300)
    expect(messages(page)).to_have_count(5)
    for place in ("html", "#pane", ".box"):
        wide = page.locator(place).evaluate("node => node.scrollWidth - node.clientWidth")
        assert wide == 0, place
    for each in (*page.get_by_role("tab").all(), button(page, "Send"), page.locator("video")):
        box = each.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 360


def test_nothing_moves_for_those_who_want_it_so(page: Page, slack: Platform) -> None:
    page.emulate_media(reduced_motion="reduce")
    write(page, "hello")
    dot = page.locator(".dots:not([hidden]) i").first
    expect(dot).to_be_visible()
    assert page.evaluate("() => document.getAnimations().length") == 0


def test_looks_are_cheap_and_rest_while_nobody_watches(page: Page) -> None:
    looks: list[Request] = []
    page.on("request", lambda request: looks.append(request))
    with page.expect_response(lambda answer: answer.status == 304):
        pass
    page.evaluate(
        """() => {
            Object.defineProperty(document, "hidden", { value: true, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    page.wait_for_timeout(300)
    looks.clear()
    page.wait_for_timeout(1600)
    assert looks == []
    with page.expect_request("**/rooms/slack"):
        page.evaluate(
            """() => {
                delete document.hidden;
                document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
