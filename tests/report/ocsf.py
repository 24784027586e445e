"""A small validator of OCSF events against the published schema, where that lies beside the repository."""

import json
import re
from functools import cache
from pathlib import Path

SCHEMA = Path(__file__).parents[3] / "shared" / "standards" / "ocsf"
PRESENT = (SCHEMA / "dictionary.json").is_file()


@cache
def load(path):
    return json.loads((SCHEMA / path).read_text(encoding="utf-8"))


@cache
def find(kind, name):
    """Return a class or an object with the attributes that it inherits; those of profiles that are not applied are left out."""
    paths = [p for p in (SCHEMA / kind).rglob(f"{name}.json") if p.stem == name]
    own = load(paths[0].relative_to(SCHEMA).as_posix())
    base = find(kind, own["extends"]) if "extends" in own else {"attributes": {}}
    attributes = {key: dict(value) for key, value in base["attributes"].items()}
    for key, value in own["attributes"].items():
        if key != "$include":
            merged = {**attributes.get(key, {}), **value}
            if "enum" in value:
                merged["enum"] = {**attributes.get(key, {}).get("enum", {}), **value["enum"]}
            attributes[key] = merged
    constraints = own.get("constraints", base.get("constraints", {}))
    return {**base, **own, "attributes": attributes, "constraints": constraints}


@cache
def observable_types():
    dictionary = load("dictionary.json")
    known = [entry.get("observable") for entry in dictionary["types"]["attributes"].values()]
    known += [entry.get("observable") for entry in dictionary["attributes"].values()]
    for path in (SCHEMA / "objects").glob("*.json"):
        own = load(path.relative_to(SCHEMA).as_posix())
        known.append(own.get("observable"))
        known += [entry.get("observable") for key, entry in own["attributes"].items() if key != "$include"]
    return {0, 99, *filter(None, known)}


PRIMITIVE = {
    "string_t": str,
    "integer_t": int,
    "long_t": int,
    "timestamp_t": int,
    "float_t": (int, float),
    "boolean_t": bool,
    "json_t": object,
}


def check(value, definition, where):
    """Yield what is wrong with an object or event."""
    attributes = definition["attributes"]
    for name, entry in attributes.items():
        if entry.get("requirement") == "required" and name not in value and not entry.get("profile"):
            yield f"{where}: {name} is required"
    for kind, names in definition["constraints"].items():
        there = sum(name in value for name in names)
        if (kind == "at_least_one" and not there) or (kind == "just_one" and there != 1):
            yield f"{where}: {kind} of {names}"
    for name, each in value.items():
        if name not in attributes:
            yield f"{where}: {name} is unknown"
            continue
        known = load("dictionary.json")["attributes"][name]
        entry = {**known, **attributes[name]}
        enum = {**known.get("enum", {}), **attributes[name].get("enum", {})}
        place = f"{where}.{name}"
        if "@deprecated" in entry:
            yield f"{place}: deprecated"
        if entry.get("is_array") != (True if isinstance(each, list) else None) and entry["type"] != "json_t":
            yield f"{place}: a list where there should be none, or none where there should be"
            continue
        for item in each if entry.get("is_array") else [each]:
            yield from check_value(item, entry, place)
        if enum and name not in ("class_uid", "category_uid", "type_id") and str(each) not in enum:
            yield f"{place}: {each} is not one of {sorted(enum)}"
        sibling = entry.get("sibling")
        if enum and sibling in value and str(each) in enum and value[sibling] != enum[str(each)]["caption"]:
            yield f"{place}: {value[sibling]!r} is not {enum[str(each)]['caption']!r}"


def check_value(item, entry, place):
    kind = entry["type"]
    types = load("dictionary.json")["types"]["attributes"]
    if kind not in types:  # an object
        if not isinstance(item, dict):
            yield f"{place}: no object"
        elif kind != "object":
            yield from check(item, find("objects", kind), place)
        return
    base = types[kind].get("type", kind)
    if not isinstance(item, PRIMITIVE[base]) or (isinstance(item, bool) and base not in ("boolean_t", "json_t")):
        yield f"{place}: {item!r} is no {base}"
    elif "regex" in types[kind] and not re.search(types[kind]["regex"], item):
        yield f"{place}: {item!r} does not match {kind}"
    elif "max_len" in types[kind] and len(item) > types[kind]["max_len"]:
        yield f"{place}: too long"


def problems(event):
    """Return what is wrong with a Detection Finding; nothing where the schema is not at hand."""
    if not PRESENT:
        return []
    definition = find("events", "detection_finding")
    category = load("categories.json")["attributes"][definition["category"]]["uid"]
    found = list(check(event, definition, "event"))
    if event["category_uid"] != category or event["class_uid"] != category * 1000 + definition["uid"]:
        found.append("wrong class or category")
    if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"]:
        found.append("wrong type_uid")
    if event["metadata"]["version"] != load("version.json")["version"]:
        found.append("wrong version of the schema")
    found += [f"observable {o}" for o in event["observables"] if o["type_id"] not in observable_types()]
    return found
