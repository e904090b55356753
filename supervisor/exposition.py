"""Prometheus' text format: the pages of many processes merged into one, each family once."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample


def merged(pages: Iterable[tuple[Mapping[str, str], str]]) -> list[Metric]:
    """The families of all pages, each once; every sample gets the labels of its page.

    The labels tell the processes apart, for two processes of one worker count under the same
    names. A family's help and type are those of the first page that has it.

    Raises ValueError for a page that is not in Prometheus' text format.
    """
    families: dict[str, Metric] = {}
    for labels, text in pages:
        for found in text_string_to_metric_families(text):
            family = families.setdefault(
                found.name, Metric(found.name, found.documentation, found.type)
            )
            family.samples += [_labelled(sample, labels) for sample in found.samples]
    return list(families.values())


def _labelled(sample: Sample, labels: Mapping[str, str]) -> Sample:
    return sample._replace(labels={**sample.labels, **labels})


def rendered(families: Iterable[Metric]) -> bytes:
    """Families as one page of Prometheus' text format."""

    class Given(Collector):
        def collect(self) -> Iterable[Metric]:
            return families

    registry = CollectorRegistry()
    registry.register(Given())
    return generate_latest(registry)
