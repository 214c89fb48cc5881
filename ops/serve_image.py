"""What the images of deployed containers hold, for this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from localcloud.serve.containers import Image
from localcloud.serve.model import ServeError

if TYPE_CHECKING:
    from ops.deployed import Deployed
    from ops.package_container import Packed


class Images:
    """What `localcloud.serve` asks for: the code of an image by its URI.

    An image in the environment's own repository is of the version that its tag names: made from the checkout as long as that is of this version, and kept, so
    that what is edited afterwards is served when it is deployed and not before. Of any other image nobody here knows what it holds; the checkout's code stands
    in for it. tell: is told in a few words what begins.
    """

    def __init__(self, where: Deployed, tell: Callable[[str], None]) -> None:
        self._where, self._tell = where, tell
        self._others: Image | None = None

    def __call__(self, uri: str) -> Image:
        """The code; raises ServeError where the sources have moved on."""
        from ops.package import PackageError

        try:
            repository = self._where.optional("app", "repositoryUrl")
            if repository and uri.startswith(f"{repository}:"):
                return self._version(uri.rpartition(":")[2])
            if self._others is None:
                from ops import package_container

                self._others = _image(package_container.ensure(self._tell))
                self._tell(f"the image {uri} is not of this checkout; this checkout's code runs in its place")
        except PackageError as error:
            raise ServeError(str(error)) from None
        return self._others

    def _version(self, tag: str) -> Image:
        from ops import package_container
        from shared.image import image_tag

        packed = package_container.find(tag)
        if packed is None:
            if image_tag() != tag:
                where = self._where
                raise ServeError(
                    f"the service's sources or their lock changed since {where.stack} was deployed, and what is deployed is served. "
                    f"Next: invoke deploy {where.options}"
                )
            packed = package_container.ensure(self._tell)
        return _image(packed)


def _image(packed: Packed) -> Image:
    return Image(folder=packed.folder, entry_point=packed.entry_point, command=packed.command, environment=packed.environment)
