"""The files that the chart takes from the rows and the settings of the services."""

from reference import settings
from vigil.contract.services import SERVICES
from vigil_provision import chart

FOLDER = "deploy/helm/vigil/files"


def files() -> dict[str, str]:
    """The texts by the file's name."""
    fields = {row.name: settings.settings_of(row.name).model_fields for row in SERVICES}
    return chart.files({name: of["capacity"].default for name, of in fields.items() if "capacity" in of})
