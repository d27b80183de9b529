"""Template amounts: exact, even, within capacity."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.base import Entity
from spark_jobs.populate import Amount, Params, Populate
from spark_jobs.templates import allocate, parse
from textmill.errors import DefinitionError

ENTITIES = {"A": Entity("A", ("x", "y", "z")), "B": Entity("B", ("1", "2"))}


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.data())
def test_allocation_is_exact_within_capacity_and_as_even_as_it_can_be(
    capacities: list[int], data: st.DataObject
) -> None:
    amount = data.draw(st.integers(0, sum(capacities)))
    shares = allocate(amount, capacities)
    assert sum(shares) == amount
    assert all(0 <= share <= capacity for share, capacity in zip(shares, capacities, strict=True))
    not_full = [share for share, capacity in zip(shares, capacities, strict=True) if share < capacity]
    assert not not_full or max(shares) - min(not_full) <= 1


def test_allocation_beyond_capacity_names_the_capacity() -> None:
    with pytest.raises(ValueError, match="capacity 5 is smaller than 6"):
        allocate(6, [2, 3])


def test_capacity_is_the_product_of_choices_and_entities(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("# note\n[one]\n{A} (p|q|) {B}{이/가}\n\n[two]\nplain\n", encoding="utf-8")
    first, second = parse(tmp_path / "t.txt", ENTITIES)
    assert (first.label, first.line, first.capacity(ENTITIES)) == ("one", 3, 3 * 3 * 2)
    assert (second.label, second.capacity(ENTITIES)) == ("two", 1)


@given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)), st.integers(0, 100))
def test_total_is_divided_over_the_other_labels(single: dict[str, int], total: int) -> None:
    asked = Amount(total=total, intents=single).of(["a", "b", "c", "d"])
    assert set(asked) == {"a", "b", "c", "d"}
    assert sum(asked.values()) == max(total, sum(single.values()))


def test_capacity_smaller_than_asked_says_the_capacity(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("[one]\n{A} {B}\n", encoding="utf-8")
    asked = Params(templates=str(tmp_path / "t.txt"), amount={"per_intent": 7})
    with pytest.raises(DefinitionError, match="'one' can make 6 different utterances, 7 are asked"):
        Populate().resources(asked, ENTITIES)
    everything = Params(templates=str(tmp_path / "t.txt"), amount={"per_intent": 7, "short": "all"})
    assert [t["amount"] for t in Populate().resources(everything, ENTITIES).data["templates"]] == [6]


def test_digests_change_with_templates_and_dictionaries_alone(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("[one]\n{A} b\n", encoding="utf-8")
    params = Params(templates=str(tmp_path / "t.txt"), amount={"per_intent": 1})
    before = Populate().resources(params, ENTITIES).digests
    assert Populate().resources(params, {**ENTITIES, "B": Entity("B", ("9",))}).digests == before
    changed = Populate().resources(params, {**ENTITIES, "A": Entity("A", ("x",))}).digests
    assert {name for name in changed if changed[name] != before[name]} == {"entity A"}


def test_sections_that_look_equal_are_one_label_and_said_so(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "환불")
    text = f"[환불]\n환불 {{A}}\n[{decomposed}]\n{decomposed} 문의 {{A}}\n[환불\u200b ]\n{{A}} 환불\u00a0\n"
    (tmp_path / "t.txt").write_text(text, encoding="utf-8")
    parsed = parse(tmp_path / "t.txt", ENTITIES)
    assert {template.label for template in parsed} == {"환불"}
    assert [template.pieces[0] for template in parsed[:2]] == [{"text": "환불 "}, {"text": "환불 문의 "}]
    asked = Params(templates=str(tmp_path / "t.txt"), amount={"total": 3, "intents": {decomposed: 3}})
    notes = Populate().resources(asked, ENTITIES).notes
    assert notes == (
        f"{tmp_path}/t.txt: one label, 환불: '환불' above line 2, '{decomposed}' (decomposed) above line 4, "
        r"'환불\u200b ' above line 6",
    )
    with pytest.raises(ValueError, match="are one label"):
        Amount(total=3, intents={"환불": 1, decomposed: 2})


def test_the_same_template_in_another_form_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(f"[a]\n환불\n{unicodedata.normalize('NFD', '환불')}  \n", encoding="utf-8")
    with pytest.raises(DefinitionError, match="t.txt:3: the same template stands at line 2"):
        parse(tmp_path / "t.txt", ENTITIES)
