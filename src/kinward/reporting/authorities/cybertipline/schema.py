"""The authority's XML schema, rebuilt as XSD 1.0 from facts about it (schema.json).

`schema.json` holds the names, order, cardinalities, types and enumerations of the CyberTipline
Reporting schema, as of the snapshot of November 2025, and none of its prose.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from lxml import etree

XS = "http://www.w3.org/2001/XMLSchema"
Facts = dict[str, Any]


def _xs(tag: str, *children: etree._Element, **attributes: str) -> etree._Element:
    element = etree.Element(f"{{{XS}}}{tag}", nsmap={"xs": XS})
    for name, value in attributes.items():
        element.set(name, value)
    element.extend(children)
    return element


@cache
def xsd() -> bytes:
    """Build the schema document."""
    facts = json.loads(files(__package__).joinpath("schema.json").read_text())
    schema = _xs("schema", elementFormDefault="qualified")
    for name, body in facts["elements"].items():
        schema.append(_xs("element", _complex(body), name=name))
    for name, body in facts["complexTypes"].items():
        schema.append(_named(_complex(body), name))
    for name, body in facts["simpleTypes"].items():
        schema.append(_named(_simple(body), name))
    return etree.tostring(schema, xml_declaration=True, encoding="UTF-8", pretty_print=True)


@cache
def schema() -> etree.XMLSchema:
    """Return the schema, ready to validate with."""
    return etree.XMLSchema(etree.fromstring(xsd()))


@cache
def choices(simple_type: str) -> tuple[str, ...]:
    """Return the values of an enumerated type, such as `incidentType`."""
    facts = json.loads(files(__package__).joinpath("schema.json").read_text())
    return tuple(facts["simpleTypes"][simple_type]["enum"])


def _named(element: etree._Element, name: str) -> etree._Element:
    element.set("name", name)
    return element


def _complex(body: Facts) -> etree._Element:
    attributes = [
        _xs(
            "attribute",
            name=a["name"],
            type=a["type"],
            use="required" if a["required"] else "optional",
        )
        for a in body.get("attributes", [])
    ]
    if "simpleContent" in body:
        extension = _xs("extension", *attributes, base=body["simpleContent"])
        return _xs("complexType", _xs("simpleContent", extension))
    particles = [_particle(item) for item in body.get("content", [])]
    model = [_xs(body["model"], *particles)] if "model" in body else []
    return _xs("complexType", *model, *attributes)


def _particle(item: Facts) -> etree._Element:
    low, high = item["occurs"]
    occurs = {"minOccurs": str(low), "maxOccurs": "unbounded" if high is None else str(high)}
    if "choice" in item:
        return _xs("choice", *(_particle(option) for option in item["choice"]), **occurs)
    if "ref" in item:
        return _xs("element", ref=item["ref"], **occurs)
    if "complex" in item:
        return _xs("element", _complex(item["complex"]), name=item["name"], **occurs)
    fixed = {"fixed": item["fixed"]} if "fixed" in item else {}
    return _xs("element", name=item["name"], type=item["type"], **occurs, **fixed)


def _simple(body: Facts) -> etree._Element:
    facets = [_xs("enumeration", value=value) for value in body.get("enum", [])]
    if "pattern" in body:
        facets.append(_xs("pattern", value=body["pattern"]))
    return _xs("simpleType", _xs("restriction", *facets, base=body["base"]))
