"""The studio: a video provider at home. It speaks the OpenAI Videos protocol, and costs nothing.

`python -m local.studio --port 9000` runs it alone. A job takes a few seconds and ends with a real
film. Words in the prompt choose another ending, so that every trouble can be had on demand.

How a job goes:
    [instant]            completed when it is created
    [slow]               takes 30 seconds
    [stuck]              stays in_progress for ever
    [fail:moderation]    ends failed, with code moderation_blocked
    [fail:server]        ends failed, with code server_error
    [unlisted]           is in no list; [unlisted*2]: in none of the first two that come to it

What one call answers, [call:answer]. The calls:
    create, created      POST: no job is made; the job is made, and then this is answered
    poll                 GET of the job
    list                 GET of a list, if the job is on the page that was asked for
    content, poster      GET of the film; of its still image
    cancel, cancelled    DELETE: the job goes on; it is deleted, and then this is answered
The answers:
    400 401 402 404 405 429 500 503    that status, with an error as OpenAI writes it
    quota                a 429 that waiting does not help: insufficient_quota
    moderation           a 400 with code content_policy_violation
    unsupported          a 400, but only for a job that is not finished: DELETE is no way to cancel
    none                 a 404, as for a poster that there is not
    redirect             a 302 to another path of the studio, which gives the film or still image
    redirect-away        a 302 to http://169.254.169.254/latest/meta-data/
    html                 a 200 with a web page
    empty                a 200 with nothing
    drop                 the connection closes without an answer
    hang                 no answer for 120 seconds, then drop
    half                 the connection closes half way through the true answer
    cut                  half of the true answer, with a Content-Length that agrees

`[poll:500*2]` is for the first two polls only, `[create:429 after 7*2]` adds `Retry-After: 7`, in
seconds. Create and created count for each prompt, the others for each job. Of several words for a
call, the first that is not used up decides; in a list, that of the first job which has one. Words
can be mixed: `A paper boat [slow] [poll:429*1] [content:half*1]`.

An Idempotency-Key whose job was made gives that job, and `create` has no say any more.
"""

from local.studio.server import Studio

__all__ = ["Studio"]
