"""Tell who waits for a video: how it comes on while it is made, and the result at its end."""

from actionreel import announcements, bootstrap, deliveries
from actionreel.models import VideoJob
from actionreel.observability import job_task


@job_task
def lambda_handler(job: VideoJob) -> VideoJob:
    tell = announcements.report if job.status == "pending" else deliveries.deliver
    return tell(job, bootstrap.services())
