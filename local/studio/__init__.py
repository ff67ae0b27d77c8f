"""The studio: a video provider at home. It speaks the OpenAI Videos protocol, and costs nothing.

`python -m local.studio --port 9000` runs it alone. A job takes a few seconds and ends with a real
film. Words in the prompt choose another ending, so that every trouble can be had on demand.

How a job goes:
    [instant]            completed when it is created
    [slow]               takes 30 seconds
    [stuck]              stays in_progress for ever
    [fail:moderation]    ends failed, with code moderation_blocked
    [fail:server]        ends failed, with code server_error

What one call answers, [call:answer], where the call is `create` (no job is made), `created` (the
job is made, and then this is answered), `poll`, `content` (the film) or `poster` (its still image):
    400 401 402 404 429 500 503    that status, with an error as OpenAI writes it
    quota                a 429 that waiting does not help: insufficient_quota
    moderation           a 400 with code content_policy_violation
    none                 a 404, as for a poster that there is not
    html                 a 200 with a web page
    empty                a 200 with nothing
    drop                 the connection closes without an answer
    hang                 no answer for 120 seconds, then drop
    half                 the connection closes half way through the true answer
    cut                  half of the true answer, with a Content-Length that agrees

`[poll:500*2]` is for the first two polls only. Create and created count for each prompt, the others
for each job. Of several words for a call, the first that is not used up decides. Words can be
mixed: `A paper boat [slow] [poll:429*1] [content:half*1]`.
"""

from local.studio.server import Studio

__all__ = ["Studio"]
