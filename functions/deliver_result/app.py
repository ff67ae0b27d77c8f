"""Tell who waits for a video: how it comes on while it is made, and the result at its end."""

from actionreel import bootstrap, deliveries
from actionreel.models import VideoJob
from actionreel.observability import job_task


@job_task
def lambda_handler(job: VideoJob) -> VideoJob:
    return deliveries.tell(job, bootstrap.services())
