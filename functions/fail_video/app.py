"""Write down why there is no video: the last task of a story that did not go well."""

from actionreel import bootstrap, endings
from actionreel.models import VideoJob
from actionreel.observability import job_task


@job_task
def lambda_handler(job: VideoJob) -> VideoJob:
    return endings.fail(job, bootstrap.services())
