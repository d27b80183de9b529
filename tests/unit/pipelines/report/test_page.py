"""The page: whole in one file, safe with any text, true to the figures, shorter where something is missing."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.unit.pipelines.report.conftest import NASTY, Sample, predictions

VOID = {"meta", "br", "link", "img", "input", "wbr"}
SECTIONS = {
    "data": ["clean", "split", "tokens", "tensors"],
    "classes": ["split", "tokens", "tensors"],
    "lengths": ["split", "tokens", "tensors"],
    "vocabulary": ["tensors"],
    "neighbours": ["vectors"],
    "texts": ["split", "tokens", "tensors"],
    "model-1": ["train.m", "evaluate.m"],
    "model-1-classes": ["evaluate.m"],
    "model-1-confusion": ["evaluate.m"],
    "model-1-mistakes": ["evaluate.m"],
}


class Outline(HTMLParser):
    """Ids, and the text without markup; fails on a tag that isn't closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), f"an attribute twice: {attrs}"
        self.attributes |= set(given)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []
        if tag not in VOID:
            self.open.append(tag)
            self.text += " "

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.text += " "

    def handle_data(self, data: str) -> None:
        if self.open[-2:] != ["rect", "title"]:
            self.text += data


def shown(page: str) -> str:
    """The text of a page with single spaces, narrow ones too."""
    return re.sub(r"\s+", " ", Outline(page).text)


def test_the_figures_are_those_of_the_files(sample: Sample) -> None:
    text = shown(sample.page())
    for figure in (
        "m accuracy 70.0 % macro-F1 0.654",
        "95 % interval 39.7 % to 89.2 %",
        "7 of 10 test rows right",
        "train rows 100",
        "test rows 10",
        "4,321 parameters, batch 8, 100 rows, 2 epochs of 2 steps. Best epoch 2 by macro_f1. 1,235 records/s.",
        "배송 0.500 0.250 0.333 5",
        "50.0 % cut at 8",
        "train 6 600 1.0 %",
        "test 9 60 15.0 %",
        "2 tokens, fitted on the train part",
        "61.0 s",
        "why tokens",
        "textmill run x.yaml",
        "spark.log",
    ):
        assert figure in text, figure


def test_rows_set_aside_are_shares_of_what_the_step_saw(sample: Sample) -> None:
    text = shown(sample.page())
    assert "clean text.clean 90 10 10.0 % not valid JSON 7 7.0 % text too long 3 3.0 %" in text
    assert "tensors tensor.encode 110 + 4 padding" in text


def test_every_chart_is_there_and_named(sample: Sample) -> None:
    page = sample.page()
    pictures = re.findall(r'<svg class="[^"]*" role="img" aria-label="([^"]*)"', page)
    for name in ("Loss by epoch", "Accuracy and macro-F1", "train: rows by", "test: rows by", "Confusion matrix of m"):
        assert any(picture.startswith(name) for picture in pictures), name
    assert html.escape(f"{NASTY} predicted as 배송: 2 of 6 rows (33.3\u202f%)", quote=False).split(" ")[-1] in page


def test_the_weakest_class_and_the_surest_mistake_come_first(sample: Sample) -> None:
    page = sample.page()
    classes = page[page.index('id="model-1-classes"') : page.index('id="model-1-confusion"')]
    assert classes.index("0.333") < classes.index("0.912")
    mistakes = shown(page).rpartition("Most confident mistakes")[2]
    assert mistakes.index(NASTY) < mistakes.index("second") < mistakes.index("unsure")
    assert " fine " not in mistakes and "3 of 3 rows predicted wrong" in shown(page)


def test_nothing_is_loaded_and_only_the_named_style_and_script_are_used(sample: Sample) -> None:
    page = sample.page()
    outline = Outline(page)
    assert not re.search(r"https?:|url\(|@import|srcset", page)
    assert all(link.startswith("#") and link[1:] in outline.ids for link in outline.links)
    assert not outline.attributes & {"src", "style", "onclick"} and len(set(outline.ids)) == len(outline.ids)
    policy = html.unescape(re.search(r'Security-Policy" content="([^"]*)"', page)[1])  # type: ignore[index]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for tag in ("style", "script"):
        (inline,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_no_text_becomes_markup(sample: Sample) -> None:
    everywhere = dict.fromkeys(("name", "run", "date", "profile", "command", "definition", "log", "host"), NASTY)
    page = sample.page(**everywhere, status="failed", error=NASTY)
    assert "<script>alert" not in page and page.count("<script>") == 1
    assert NASTY in Outline(page).text


def test_samples_scripts_and_nearest_words_are_shown(sample: Sample) -> None:
    page = shown(sample.page())
    assert "test: hangul 90.0 %, none 10.0 %" in page and "<i>취소</i>" in page
    assert "50.0 % of 9 tokens have a vector of their own, which are 75.0 % of the running text" in page
    assert "<u>택배</u> 0.88" in page


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_is_there_when_its_data_is(sample: Sample, section: str) -> None:
    assert f'id="{section}"' in sample.page()
    page = Outline(sample.without(*SECTIONS[section]).page())
    assert section not in page.ids and f"#{section}" not in page.links


@pytest.mark.parametrize("missing", ["clean", "split", "tokens", "tensors", "vectors", "train.m", "evaluate.m"])
def test_a_missing_output_makes_it_shorter(sample: Sample, missing: str) -> None:
    whole = sample.page()
    part = sample.without(missing).page()
    assert len(part) < len(whole) and "Not shown" not in shown(part)


@pytest.mark.parametrize("record", [{}, {"steps": None, "metrics": None}, {"steps": [], "status": "running"}])
def test_a_record_of_nothing_is_a_page(sample: Sample, record: dict[str, Any]) -> None:
    sample.record, sample.folders = record, {}
    assert Outline(sample.page()).ids == ["top", "again"]


def test_a_failed_run_says_so_on_top(sample: Sample) -> None:
    sample.record["steps"][-2]["status"] = "failed"
    sample.record["steps"][-1]["status"] = "waiting"
    page = sample.without("train.m", "evaluate.m").page(
        status="failed", error="rank 1 died\nlast lines: x", seconds=None
    )
    text = shown(page)
    assert "The run failed in step train.m rank 1 died last lines: x" in text
    assert "Go on where it stopped: textmill run x.yaml" in text
    assert text.index("rank 1 died") < text.index("train rows") and "waiting" in text


def test_several_models_are_compared(sample: Sample) -> None:
    for op, step in (("model.train", "train"), ("model.evaluate", "evaluate")):
        sample.record["steps"].append({**sample.record["steps"][-1], "step": f"{step}.n", "op": op})
        sample.folders[f"{step}.n"] = sample.folders[f"{step}.m"]
    page = sample.page()
    assert {"models", "model-1", "model-2", "model-2-confusion"} <= set(Outline(page).ids)
    assert shown(page).count("m 70.0 % 39.7 % to 89.2 % 0.654 10 2 2 4,321 1,235") == 1


def test_two_inputs_and_no_labels(sample: Sample) -> None:
    def unlabelled(manifest: dict[str, Any]) -> None:
        manifest["stats"] = {"parts": {"rows": {"rows": 5, "labels": {}, "lengths": {"sum": 9, "histogram": {"2": 5}}}}}

    sample = sample.without("split", "tokens", "tensors", "train.m", "evaluate.m")
    sample.record["steps"].append({**sample.record["steps"][0], "step": "clean_b"})
    sample.folders["clean_b"] = sample.folders["clean"]
    sample.manifest("clean", unlabelled)
    page = sample.page()
    assert "classes" not in Outline(page).ids and "characters" in page
    assert "Step clean " in shown(page) and "Step clean_b " in shown(page)


def test_no_test_rows(sample: Sample) -> None:
    nothing = '{"rows": 0, "accuracy": NaN, "macro_f1": null, "labels": [], "per_class": [], "confusion": []}'
    (sample.folders["evaluate.m"] / "metrics.json").write_text(nothing)
    predictions(sample.folders["evaluate.m"] / "predictions", [])
    assert "m accuracy – macro-F1 – no test rows" in shown(sample.page())


def test_the_record_s_metrics_stand_in_for_a_missing_evaluation(sample: Sample) -> None:
    metrics = {"m": {"rows": 10, "accuracy": 0.7, "macro_f1": 0.654}}
    assert "m accuracy 70.0 % macro-F1 0.654" in shown(sample.without("evaluate.m").page(metrics=metrics))


def test_many_mistakes_are_cut(sample: Sample) -> None:
    rows = [(f"{n:04}", f"text {n:04}", "배송", NASTY, n / 200, False) for n in range(120)]
    predictions(sample.folders["evaluate.m"] / "predictions", rows)
    page = sample.page()
    assert "text 0119" in page and "text 0070" in page and "text 0069" not in page


def test_text_of_any_kind_is_written(sample: Sample) -> None:
    page = sample.page(name="lone \ud800 surrogate", host="\x00\u202e")
    assert "lone \\ud800 surrogate" in page


def test_importing_it_is_cheap() -> None:
    heavy = "{'jinja2', 'pyarrow', 'numpy', 'markupsafe', 'pyspark'}"
    code = f"import sys, pipelines.report; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
