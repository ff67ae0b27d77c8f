"""What must hold after every run, whatever happened in it (facts: I1 to I12)."""

from __future__ import annotations

from collections import Counter

from actionreel.errors import AssetError
from actionreel.models import Video, file_key
from actionreel.mp4 import whole_mp4
from tests.simulation import aws
from tests.simulation.deeds import Message
from tests.simulation.people import People
from tests.simulation.studio import Job
from tests.simulation.world import World


def check(world: World, people: People, *, faultless: bool) -> None:
    """Notes every violation in the world."""
    records = aws.records()
    jobs: dict[str, list[Job]] = {video_id: [] for video_id in records}
    for job, owner in owned_jobs(world, records):
        jobs.setdefault(owner, []).append(job)
    _check_actions(world, people, records)
    _check_spending(world, records)
    for video in records.values():
        _check_video(world, people, video, jobs[video.video_id])
        if faultless and video.status != "completed":
            world.violate("I0", f"nothing went wrong, and yet {video.video_id} is {video.status}")
    for video_id in jobs.keys() - records.keys():
        world.violate("I9", f"a job was made for {video_id or 'nobody'}, which has no record")
    owners = Counter(str(video.handle) for video in records.values() if video.handle)
    for handle, count in owners.items():
        if count > 1:
            world.violate("I2", f"the job {handle} belongs to {count} videos")
    for execution in world.executions:
        if execution.video_id and execution.video_id not in records:
            world.violate("I9", f"the execution {execution.name} has no record")
        if execution.status == "RUNNING":
            world.violate("I9", f"the execution {execution.name} still runs")


def owned_jobs(world: World, records: dict[str, Video]) -> list[tuple[Job, str]]:
    """Every job of the provider with the video that it counts for: the one whose record has it.

    Of two videos with the same prompt, one can find in the list what the other has just been given;
    that one then has another made, and two jobs for two videos is what was asked for. A job that no
    record has counts for the video that asked for it; or, if that one was given another's job (some
    providers name a wrong id), for the other, in exchange.
    """
    held = {str((video.handle or {}).get("id")): video.video_id for video in records.values()}
    askers = {job.id: job.video_id for job in world.studio.jobs}
    given = {owner: askers.get(job_id, owner) for job_id, owner in held.items()}
    return [(job, held.get(job.id) or _in_exchange(job, given)) for job in world.studio.jobs]


def _in_exchange(job: Job, given: dict[str, str]) -> str:
    owner, seen = job.video_id, {job.video_id}
    while (other := given.get(owner, owner)) not in seen:
        owner = other
        seen.add(owner)
    return owner


def _check_actions(world: World, people: People, records: dict[str, Video]) -> None:
    """I1: every accepted action has one record, the same for each delivery of its message."""
    made = Counter(video.message_id for video in records.values() if video.retry_of is None)
    turns = aws.turns()
    for message in people.messages:
        if message.in_chat:
            turn = turns.get(message.id)
            _check_event(world, people, message, made[turn.turn_id] if turn else 0)
            continue
        for answer in message.answers:
            if answer != message.answers[0]:
                world.violate("I1", f"{message.id} was answered differently: {message.answers}")
            for video_id in answer:
                if video_id not in records:
                    world.violate("I1", f"{message.id} was promised {video_id}, of which is none")
        expected = len(message.prompts)
        if made[message.id] not in ((expected,) if message.answers else (0, expected)):
            world.violate("I1", f"{message.id} has {made[message.id]} records for {expected} tags")
    retries = Counter(video.retry_of for video in records.values() if video.retry_of)
    for older, count in retries.items():
        if count > 1 or records[str(older)].retried_as is None:
            world.violate("I1", f"{older} was retried {count} times")


def _check_event(world: World, people: People, message: Message, made: int) -> None:
    """I1: what was written in a chat makes its videos once, or none if it could not be answered."""
    turn, expected = aws.turns().get(message.id), len(message.prompts)
    ends = [one.status for one in world.executions if turn and one.turn_id == turn.turn_id]
    if message.id in people.chats.taken and not ends:
        world.violate("I9", f"{message.id} was taken in, and nothing answers it")
    if len(ends) > 1:
        world.violate("I1", f"{message.id} was answered {len(ends)} times")
    if made not in ((expected,) if ends == ["SUCCEEDED"] else (0, expected)):
        world.violate("I1", f"{message.id} has {made} records for {expected} tags")


def _check_spending(world: World, records: dict[str, Video]) -> None:
    """I2: no more jobs of a prompt than videos that were asked for with it."""
    made = Counter(str(job.asked["prompt"]) for job in world.studio.jobs)
    wanted = Counter(video.prompt for video in records.values())
    for prompt, count in made.items():
        if count > wanted[prompt]:
            world.violate("I2", f"{count} jobs were made for {wanted[prompt]} videos")


def _check_video(world: World, people: People, video: Video, jobs: list[Job]) -> None:
    name = video.video_id[-4:]
    if video.is_open:
        world.violate("I1", f"{name} is {video.status} for ever")
    if len(jobs) > 1:
        world.violate("I2", f"{name} was made {len(jobs)} times: {[job.id for job in jobs]}")
    charged = [job for job in jobs if world.studio.status(job) != "failed"]
    if video.status == "failed" and charged:
        world.violate("I3", f"{name} is failed, and {charged[0].id} was charged")
    if video.status == "failed" and video.failure and video.failure.maybe_charged:
        world.violate("I3", f"{name} is failed, and may have been charged")
    if video.status not in ("completed", "failed") and video.failure is None:
        world.violate("I3", f"{name} is {video.status} without a reason")
    asked = video.video_id in people.wished_away
    if video.status == "cancelled" and not (asked or any(job.fate == "cancelled" for job in jobs)):
        world.violate("I3", f"{name} is cancelled, and nobody asked for that")
    if video.status == "completed":
        _check_file(world, video)


def _check_file(world: World, video: Video) -> None:
    """I4: the file is the job's, whole, and as long as the record says."""
    name = video.video_id[-4:]
    body = aws.stored(file_key(video.tenant, video.video_id, "mp4"))
    if body is None:
        world.violate("I4", f"{name} is completed, and there is no file")
        return
    ids = [job.id for job in world.studio.jobs if job.film() == body]
    handle = (video.handle or {}).get("id")
    if handle not in ids:
        world.violate("I4", f"{name} has a file that is not the job {handle}'s")
    if video.bytes != len(body):
        world.violate("I4", f"{name} has {len(body)} bytes, and its record says {video.bytes}")
    try:
        list(whole_mp4([body]))
    except AssetError:
        world.violate("I4", f"{name} has a file that does not play")


def check_leaks(
    world: World, logs: list[str], prompts: list[str], keys: list[str], tokens: list[str]
) -> None:
    """I11: no prompt, key and token in the logs, and no key in records, histories and answers; what
    a chat or a program gave us to answer with is on records, and nowhere else."""
    for secret in [*prompts, *keys, *tokens]:
        leaked = next((line for line in logs if secret in line), None)
        if leaked is not None:
            world.violate("I11", f"the logs tell {secret!r}: {leaked[:200]}")
    histories = [
        str(execution.worker.env.event_manager.get_event_history())
        for execution in world.executions
        if execution.worker.env
    ]
    records = [video.model_dump_json() for video in aws.records().values()]
    told = [*histories, *world.answered]
    for secrets, places in ((keys, [*told, *records]), (tokens, told)):
        for place in places:
            if any(secret in place for secret in secrets):
                world.violate("I11", f"a key or a token is told: {place[:200]}")


def check_addresses(world: World, connected: list[object], allowed: list[object]) -> None:
    """I10: nobody but the provider was connected to."""
    for address in connected:
        if address not in allowed:
            world.violate("I10", f"a connection to {address}")
