"""What a user reads when a definition is wrong: every problem, with its place, at once."""

from __future__ import annotations

import datetime as dt
import json
import textwrap
from pathlib import Path

import pytest

from pipelines.definition import load
from textmill.errors import DefinitionError, InputError

GOOD = """
    name: demo
    vars: {label: intent}
    inputs:
      chats: {path: chats.jsonl, format: jsonl, label: "${label}"}
    entities:
      PRODUCT: [연필, 지우개]
    steps:
      clean: {do: text.clean, from: chats, min_chars: 2}
      split: {do: data.split, from: clean}
      made: {do: text.populate, from: split.train, templates: t.txt, amount: {per_intent: 4}}
      tokens: {do: text.tokenize, from: [made, split.valid, split.test], analyzer: nori, user_dict: PRODUCT}
      tensors: {do: tensor.encode, from: tokens, length: 8}
    train:
      small: {model: bigru, from: tensors, epochs: 2}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "chats.jsonl").write_text('{"text": "안녕", "intent": "greeting"}\n', encoding="utf-8")
    (tmp_path / "t.txt").write_text("[buy]\n{PRODUCT}{을/를} (살래요|주세요)\n", encoding="utf-8")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "demo.yaml"
    path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return path


def problems(folder: Path, text: str, **options: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        load(write(folder, text), **options)  # type: ignore[arg-type]
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def test_good_definition_has_its_steps_in_order(folder: Path) -> None:
    pipeline = load(write(folder, GOOD), date=dt.date(2026, 1, 2))
    assert list(pipeline.nodes) == [
        "clean", "split", "made", "tokens", "tensors", "train.small", "evaluate.small",
    ]  # fmt: skip
    assert [taken.role for taken in pipeline.nodes["tokens"].takes] == ["train", "valid", "test"]
    assert pipeline.nodes["clean"].keyed["min_chars"] == 2


def test_settings_of_an_engine_stand_where_the_engine_is_named(folder: Path) -> None:
    given = GOOD.replace("epochs: 2}", "epochs: 2, options: {fed: shards}}")
    assert problems(folder, given) == [f"{folder}/demo.yaml:14 train.small.options.fed: unknown key; there are: none"]
    placed = GOOD + "      other: {model: cnn, from: tensors}\n    profiles:\n      far: {engine: local, options: {fed: x}}\n"
    told = f"{folder}/demo.yaml:17 profiles.far.options.fed: unknown key; there are: none"
    assert problems(folder, placed, profile="far") == [told]


@pytest.mark.parametrize(
    ("scheduler", "at", "message"),
    [
        ("{kind: slurm, partitoin: gpu}", ".scheduler.partitoin", "unknown key, did you mean 'partition'?"),
        ("{kind: pbs, time: soon}", ".scheduler.time", r"'soon' does not fit the pattern ^[0-9]{1,3}:[0-5][0-9]:[0-5][0-9]$"),
        ("{kind: slurn}", ".scheduler.kind", "'slurn' is not one of 'slurm', 'pbs', 'kubernetes', 'azure'"),
        ("{ranks: 2}", ".scheduler", "says no `kind`"),
        ("{kind: azure, ranks: 3, per_host: 2}", "",
         "3 ranks do not fill hosts with 2 each: make ranks a multiple of per_host"),
    ],
)  # fmt: skip
def test_settings_of_a_scheduler_are_those_of_its_kind(folder: Path, scheduler: str, at: str, message: str) -> None:
    profile = f"    profiles: {{gpu: {{engine: horovod, options: {{target: /b, scheduler: {scheduler}}}}}}}\n"
    told = f"{folder}/demo.yaml:15 profiles.gpu.options{at}: {message}"
    assert problems(folder, GOOD + profile, profile="gpu") == [told]


def test_on_is_a_word(folder: Path) -> None:
    """YAML 1.1 takes it for true."""
    profile = "    profiles: {s: {engine: horovod, options: {on: spark, xla: no, mixed_precision: true}}}\n"
    options = load(write(folder, GOOD + profile), profile="s").nodes["train.small"].params["options"]
    assert (options["on"], options["xla"], options["mixed_precision"]) == ("spark", False, True)


def test_steps_may_stand_in_any_order(folder: Path) -> None:
    clean = "      clean: {do: text.clean, from: chats, min_chars: 2}\n"
    moved = GOOD.replace(clean.replace("      ", "      "), "").replace("    train:\n", clean + "    train:\n")
    assert next(iter(load(write(folder, moved)).nodes)) == "clean"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("min_chars: 2", "min_char: 2", "demo.yaml:8 steps.clean.min_char: unknown key, did you mean 'min_chars'?"),
        ("min_chars: 2", "min_chars: two", "demo.yaml:8 steps.clean.min_chars: input should be a valid integer"),
        ("do: text.clean", "do: text.claen", "demo.yaml:8 steps.clean.do: unknown operation 'text.claen', did you mean"),
        ("from: clean}", "from: claen}", "demo.yaml:9 steps.split.from: there is no step or input 'claen', did you mean 'clean'?"),
        ("split.valid", "split.vaild", "demo.yaml:11 steps.tokens.from.1: step 'split' has no part 'vaild', did you mean 'valid'?"),
        ("from: clean}", "from: chats}", "steps.split.from: 'chats' is an input: let a text.clean step read it"),
        ("user_dict: PRODUCT", "user_dict: PRODUCTS", "demo.yaml:11 steps.tokens.user_dict: no entity PRODUCTS"),
        ("per_intent: 4", "per_intent: 5", "demo.yaml:10 steps.made.amount: 'buy' can make 4 different utterances, 5 are asked"),
        ("per_intent: 4", "per_intent: 4, total: 3", "steps.made.amount: give one of per_intent and total"),
        ("chats.jsonl", "gone.jsonl", "demo.yaml:4 inputs.chats.path: there is no file"),
        ("label: intent", "label: intend", "inputs.chats.path: "),
        ('"${label}"', '"${labl}"', "demo.yaml:4 inputs.chats.label: unknown variable ${labl}, did you mean '${label}'?"),
        ("model: bigru", "model: bigrue", "demo.yaml:14 train.small.model: unknown model 'bigrue', did you mean 'bigru'?"),
        ("epochs: 2", "epochs: 0", "demo.yaml:14 train.small.epochs: input should be greater than or equal to 1"),
        ("epochs: 2", "params: {unit: 3}", "demo.yaml:14 train.small.params.unit: unknown key, did you mean 'units'?"),
        ("from: tensors", "from: tensor", "demo.yaml:14 train.small.from: 'tensor' is no tensor.encode step, did you mean 'tensors'?"),
        ("from: [made, split.valid, split.test]", "from: [clean]", "which part are the rows of 'clean'? write from:"),
        ("{per_intent: 4}", "{per_intent: 4, intents: {bye: 1}}", "steps.made.amount.intents: no template of 'bye'"),
        ("name: demo", "name: demo\n    nmae: x", "demo.yaml:2 nmae: unknown key, did you mean 'name'?"),
        ("name: demo", "name: demo\n    name: x", "demo.yaml:2 name: is given twice"),
        ("name: demo", "name: [", "is not valid YAML"),
    ],
)  # fmt: skip
def test_message_of_one_problem(folder: Path, old: str, new: str, message: str) -> None:
    found = problems(folder, GOOD.replace(old, new, 1))
    assert any(message in line for line in found), found


@pytest.mark.parametrize(
    ("more", "where", "message"),
    [
        ("copies: {do: text.augment, from: split.test}", "copies.from", "'split.test' has rows of test: take train"),
        ("copies: {do: text.augment, from: split}", "copies.from", "'split' has rows of test and valid: take train"),
        (
            "both: {do: text.dedup, from: [split.train, split.valid]}\n      copies: {do: text.augment, from: both}",
            "copies.from",
            "'both' has rows of valid: take train",
        ),
        ("again: {do: data.split, from: made}", "again.from", "rows of 'made' are made of one another"),
        (
            "seen: {do: text.tokenize, from: {train: split.train, test: [split.test, made]}, analyzer: nori}",
            "seen.from.test.1",
            "rows of 'made' are made of one another",
        ),
    ],
)
def test_what_is_made_of_rows_is_of_train_alone(folder: Path, more: str, where: str, message: str) -> None:
    (found,) = problems(folder, GOOD.replace("    train:\n", f"      {more}\n    train:\n"))
    assert f" steps.{where}: " in found and message in found


def test_copies_may_be_made_of_copies_and_without_a_split(folder: Path) -> None:
    steps = "copies: {do: text.augment, from: made}\n      other: {do: text.augment, from: clean}\n"
    pipeline = load(write(folder, GOOD.replace("    train:\n", f"      {steps}    train:\n")))
    assert pipeline.nodes["copies"].takes[0].node == "made" and pipeline.nodes["other"].takes[0].node == "clean"


def test_all_problems_at_once_in_the_order_of_the_file(folder: Path) -> None:
    text = (
        GOOD.replace("min_chars: 2", "min_char: 2")
        .replace("split.test]", "split.tset]")
        .replace("epochs: 2", "epoch: 2")
    )
    found = problems(folder, text)
    assert [line.split(":")[1].split()[0] for line in found] == ["8", "11", "14"]


def test_template_problems_name_the_template_file_and_line(folder: Path) -> None:
    (folder / "t.txt").write_text("[buy]\n{PRODUCT} 주세요\n{PRODUKT} 있나요\n", encoding="utf-8")
    assert problems(folder, GOOD) == [f"{folder}/t.txt:3: unknown entity {{PRODUKT}}, did you mean {{PRODUCT}}?"]


def test_dictionary_problems_name_the_dictionary_file_and_line(folder: Path) -> None:
    (folder / "p.tsv").write_text("name\tclicks\n연필\t3\n연필\t2\n지우개\tmany\n", encoding="utf-8")
    text = GOOD.replace("PRODUCT: [연필, 지우개]", "PRODUCT: {path: p.tsv, weight: clicks}")
    assert problems(folder, text) == [
        f"{folder}/p.tsv:3: '연필' of PRODUCT is given twice",
        f"{folder}/p.tsv:4: weight 'many' of PRODUCT is not a number above 0",
    ]


def test_column_that_is_not_there(folder: Path) -> None:
    found = problems(folder, GOOD, sets=["inputs.chats.label=itent"])
    assert found[0].endswith("chats.jsonl has no column 'itent' for label, did you mean 'intent'?; its columns: text, intent")


def test_empty_input(folder: Path) -> None:
    (folder / "chats.jsonl").write_text("")
    assert "chats.path: there is no record in" in problems(folder, GOOD)[0]


def test_set_replaces_values_and_is_named_as_their_place(folder: Path) -> None:
    path = write(folder, GOOD)
    assert load(path, sets=["steps.clean.min_chars=5"]).nodes["clean"].keyed["min_chars"] == 5
    assert problems(folder, GOOD, sets=["steps.clean.min_chars=x"])[0].startswith("--set steps.clean.min_chars:")
    assert "write KEY=VALUE" in problems(folder, GOOD, sets=["nonsense"])[0]


def test_paths_from_the_command_line_start_at_the_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "mine.jsonl").write_text(json.dumps({"text": "a", "intent": "b"}) + "\n")
    monkeypatch.chdir(folder / "elsewhere")
    pipeline = load(write(folder, GOOD), sets=["inputs.chats.path=mine.jsonl"])
    assert [path.name for path in pipeline.inputs["chats"].files] == ["mine.jsonl"]


def test_seed_of_the_definition_is_the_default_of_every_seed(folder: Path) -> None:
    pipeline = load(write(folder, GOOD), sets=["seed=11"])
    assert pipeline.nodes["split"].params.seed == pipeline.nodes["made"].params.seed == 11
    assert pipeline.nodes["train.small"].params["seed"] == 11


def test_date_variable_and_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "dt=2026-03-04").mkdir()
    (folder / "chats.jsonl").rename(folder / "dt=2026-03-04" / "chats.jsonl")
    text = GOOD.replace("path: chats.jsonl", 'path: "dt=${run.date}"').replace(
        "name: demo", 'name: demo\n    root: "${env.SPOT:-runs}"'
    )
    monkeypatch.setenv("SPOT", "out")
    pipeline = load(write(folder, text), date=dt.date(2026, 3, 4))
    assert (pipeline.definition.root, pipeline.date) == ("out", dt.date(2026, 3, 4))


def test_unknown_profile(folder: Path) -> None:
    assert problems(folder, GOOD, profile="yarm")[0].endswith("there is no profile 'yarm'; there are: local")


PLACED = """
    profiles:
      there: {root: "/r/${run.date}", inputs: {chats: "${root}/there.jsonl"}}
"""


def test_a_profile_places_the_root_and_the_inputs(folder: Path) -> None:
    there = folder / "2026-01-02" / "there.jsonl"
    there.parent.mkdir()
    there.write_text((folder / "chats.jsonl").read_text(encoding="utf-8"), encoding="utf-8")
    path = write(folder, GOOD + PLACED.strip("\n").replace("/r/", f"{folder}/") + "\n")
    day = dt.date(2026, 1, 2)
    assert load(path, date=day).definition.root == "runs"
    placed = load(path, date=day, profile="there")
    assert placed.definition.root == f"{folder}/2026-01-02"
    assert placed.inputs["chats"].files == (there,)
    by_hand = load(path, date=day, profile="there", sets=["root=elsewhere", f"inputs.chats.path={there}"])
    assert by_hand.definition.root == "elsewhere"


def test_a_profile_s_inputs_must_be_inputs(folder: Path) -> None:
    text = GOOD + "    profiles: {there: {inputs: {chat: x.jsonl}}}\n"
    (told,) = problems(folder, text, profile="there")
    assert "profiles.there.inputs.chat: there is no input 'chat', did you mean 'chats'?" in told


def test_a_profile_s_place_is_named_where_nothing_is_there(folder: Path) -> None:
    text = GOOD + "    profiles: {there: {inputs: {chats: gone.jsonl}}}\n"
    (told,) = problems(folder, text, profile="there")
    assert "demo.yaml:15 " in told and "gone.jsonl" in told


def test_steps_in_a_circle(folder: Path) -> None:
    text = GOOD.replace("from: chats,", "from: dedup,").replace(
        "from: clean}", "from: clean}\n      dedup: {do: text.dedup, from: split.train}"
    )
    assert any("in a circle" in line for line in problems(folder, text))


def test_check_conditions(folder: Path) -> None:
    found = problems(folder, GOOD + "    checks: {clean: [dropped les 3], gone: [rows > 1]}\n")
    assert len(found) == 2 and "'dropped les 3' is not a condition" in found[0] and "no step 'gone'" in found[1]


def test_definition_errors_are_input_errors_and_value_errors() -> None:
    assert issubclass(DefinitionError, InputError) and issubclass(DefinitionError, ValueError)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("name: demo", "name: store", "demo.yaml:1 name: 'store' is a folder of every root"),
        ("name: demo", "name: models", "demo.yaml:1 name: 'models' is a folder of every root"),
        ("name: demo", f"name: {'a' * 300}", "demo.yaml:1 name: string should have at most 128 characters"),
        ("      clean: {", f"      {'a' * 300}: {{do: text.clean, from: chats}}\n      clean: {{", "should have at most 128"),
        ("      small: {", f"      {'a' * 300}: {{", "should have at most 128"),
        ("      chats: {", f"      {'a' * 300}: {{", "should have at most 128"),
    ],
)
def test_a_name_that_files_can_not_have_is_refused(folder: Path, before: str, after: str, said: str) -> None:
    assert any(said in problem for problem in problems(folder, GOOD.replace(before, after)))


HOROVOD = """
    profiles:
      gpu: {engine: horovod, options: {SETTINGS}}
"""


@pytest.mark.parametrize(
    "settings",
    [
        "hosts: '-oProxyCommand=x:2'", "ssh_key: -oProxyCommand=x", "ssh_key: k;touch x", "python: -c", "interfaces: [eth0;x]",
        "target: '-oProxyCommand=x:/b', scheduler: {kind: slurm}", "target: 'a:-b', scheduler: {kind: slurm}",
        "target: /b, scheduler: {kind: slurm, partition: 'a b'}", "target: /b, scheduler: {kind: pbs, queue: 'a b'}",
        'target: /b, scheduler: {kind: slurm, options: ["--x\\n#SBATCH --y"]}',
        'target: /b, scheduler: {kind: pbs, options: ["-x\\ntouch x"]}',
        'target: /b, scheduler: {kind: slurm, setup: ["a\\rb"]}',
        "target: /b, scheduler: {kind: kubernetes, context: --kubeconfig=x}",
        "target: /b, scheduler: {kind: azure, workspace: --debug}",
    ],
)  # fmt: skip
def test_what_a_program_would_read_otherwise_is_refused(folder: Path, settings: str) -> None:
    text = textwrap.dedent(GOOD) + textwrap.dedent(HOROVOD.replace("SETTINGS", settings))
    assert any("demo.yaml" in one for one in problems(folder, text, profile="gpu"))
