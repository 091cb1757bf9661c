"""What a session says is what a real shell says, for random scripts of variables, loops and conditions."""

from __future__ import annotations

import shutil
import subprocess
import tempfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cowpath import api
from cowpath.errors import InputError
from cowpath.session.load import plan_session
from cowpath.session.table import Table

EXAMPLES = 80
SH, BASH = shutil.which("sh"), shutil.which("bash")
VALUES = ("1", "'a b'", "$X", '"$X$Y"', "x${Y}", "$(seq 2)", "", '"$Z "')
said = st.sampled_from(["$X", '"$X"', "a$Y", "'$X'", "$Z$i", "$X $Y-", '"$Z" b'])
plain = st.one_of(
    st.builds("{}={}".format, st.sampled_from("XYZ"), st.sampled_from(VALUES)),
    said.map("echo {}".format),
    st.sampled_from(["true", "false", ":", "cd /"]),
)
leaving = st.sampled_from(["break", "continue", "break 2"])


def chain(commands: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Commands with && and || between them."""
    more = st.tuples(st.sampled_from([" && ", " || "]), commands).map("".join)
    return st.builds(lambda first, rest: first + "".join(rest), commands, st.lists(more, max_size=3))


def body(commands: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(commands, min_size=1, max_size=4).map("; ".join)


def loop(commands: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    words = st.sampled_from(["1 2", "$X", '"$X" c', "$(seq 3)", ""])
    return st.one_of(
        st.builds("for i in {}; do {}; done".format, words, body(commands)),
        st.builds("while {}; do {}; break; done".format, st.sampled_from(["true", ":", "false"]), body(commands)),
        st.builds("until {}; do {}; break; done".format, st.sampled_from(["true", "false"]), body(commands)),
    )


# --- conditions, functions, blocks, pipes and values
WORD = st.sampled_from(["$X", '"$Y"', "'a b'", "${Q:-dflt}", '"${X:-z}"', "${Y:+set}", "$((Z2 + 3))", "$(echo $X in)",
                        '"$#"', "$1", '"$@"', "${F%.sh}", "${F##*/}", "${#Y}", "$?", "`echo b`",
                        "{a,c}{1..2}"])  # fmt: skip
tests = st.one_of(
    st.builds("[ {} {} {} ]".format, st.sampled_from(['"$X"', "$Z2", "7"]),
              st.sampled_from(["=", "!=", "-eq", "-lt", "-ge"]), st.sampled_from(["3", '"$X"', "$Z2"])),
    st.builds("[ {} \"$Y\" ]".format, st.sampled_from(["-z", "-n", "!"])),
    st.sampled_from(["true", "false", "! true", "! false", "[ $# -gt 1 ]", "(exit 3)", "[ $? -eq 0 ]", "test $Z2 -gt 2",
                     "echo $X | grep -q 5"]),
)  # fmt: skip
action = st.one_of(
    st.lists(WORD, min_size=1, max_size=3).map(" ".join).map("echo {}".format),
    st.sampled_from(["X=5", "Y=", "Z2=$((Z2 * 2))", "X=$(echo new)", "Y='p q'", "cd /", "shift", "set -- u v w",
    "echo $?",
                     "echo $X > /dev/null", "echo hidden 2>&1 > /dev/null", "f x", "f $X y", "g",
                     "return 2 2> /dev/null",
                     "printf '%s-%d\\n' a 1 b 2", "echo -n no newline; echo", "pwd", "X=5 true"]),
    st.sampled_from(["printf 'a 1\\nb 2\\nc 3\\n' | tail -2 | cut -d ' ' -f 2", "echo a b | wc -w",
                     "printf 'x\\ny\\n' | grep -c x", "echo c b a | tr ' ' '\\n' | sort | head -1",
                     "echo one two | awk '{print $2}'", "echo zz | grep a || echo none"]),
    tests,
)  # fmt: skip


def shaped(commands: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    inner = body(chain(commands))
    return st.one_of(
        st.builds("if {}; then {}; fi".format, chain(tests), inner),
        st.builds("if {}; then {}; elif {}; then {}; else {}; fi".format, tests, inner, tests, inner, inner),
        st.builds("{{ {}; }}".format, inner), st.builds("( {} )".format, inner),
        st.builds("{{ {}; }} > /dev/null".format, inner), st.builds("! {{ {}; }}".format, inner),
        st.builds("case {} in 5|p*) {};; dflt) {};; *) {};; esac".format, WORD.filter(lambda word: word not in
                  ('"$@"', "{a,c}{1..2}", "$?")), inner, inner, inner),
        st.builds("for i in {}; do {}; done".format, st.sampled_from(["1 2", '"$@"', "$X b"]), inner),
    )  # fmt: skip


block = st.recursive(chain(action), shaped, max_leaves=8)


@pytest.mark.skipif(BASH is None, reason="there is no bash here")
def test_it_says_what_bash_says() -> None:
    """Conditions, functions, blocks and pipes; with ``set -e`` or without. The shell's own errors are not compared."""
    compared = 0

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(["", "set -e\n", "set -eo pipefail\n"]), body(chain(action)), body(chain(action)),
           st.lists(block, min_size=1, max_size=4).map("\n".join))  # fmt: skip
    def says_what_bash_says(first: str, f: str, g: str, text: str) -> None:
        nonlocal compared
        script = (
            f"cd /\n{first}X=3 Y=y Z2=4 F=dir/a.sh i=i\nset -- one 'two three'\nf() {{ local X=$1; {f}; }}\n"
            f"g() {{ {g}; return $?; }}\n{text}\necho end $X $Y $Z2 $# $i\n"
        )
        try:
            output, why = run(script)
        except InputError:
            return
        assert BASH is not None and why == "script"
        real = subprocess.run(
            [BASH], input=script, capture_output=True, text=True, timeout=10, check=False, cwd="/", env={"PWD": "/"}
        )
        assert output == real.stdout, script
        compared += 1

    says_what_bash_says()
    assert compared > EXAMPLES // 4, "the scripts are too wild"


DIRECTORIES = ("A", "B", "A/C")
made = st.one_of(
    st.builds("{} $D/{}".format, st.sampled_from(["mkdir", "mkdir", "rmdir", "rmdir", "mkdir -p"]),
              st.sampled_from(DIRECTORIES)),
    st.builds("{} $D/A $D/B".format, st.sampled_from(["mkdir", "rmdir", "mkdir -p"])),
    st.sampled_from(["echo a", "true", "false"]),
)  # fmt: skip
rounds = st.builds("for i in 1 2; do {}; done".format, body(chain(made)))
until = st.builds("until {}; do {}; break; done".format, chain(made), body(chain(made)))
job = st.builds("{}; {} & wait".format, chain(made), st.one_of(rounds, st.builds("true && {}".format, chain(made))))
inner = st.recursive(chain(plain | leaving), loop, max_leaves=6)
command = st.one_of(chain(plain), loop(inner))


def run(text: str) -> tuple[str, str]:
    """What a machine says, and why the run ended. Raises InputError for what is not known before the run."""
    plan = plan_session(text, "s.sh", Table(bystanders=()))
    design = api.load_design("linux-3.0")
    k = api.build_machine(plan, design, api.Options())
    clock = api.make_clock(k, plan, design, lambda events: None)
    ending = clock.run(10_000_000)
    return clock.output, ending.reason


@pytest.mark.skipif(SH is None, reason="there is no sh here")
def test_it_says_what_sh_says() -> None:
    compared = 0

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(command, min_size=1, max_size=5).map("\n".join))
    def says_what_sh_says(text: str) -> None:
        nonlocal compared
        script = f"X=0 Y=y Z= i=i\n{text}\necho end $X $Y $Z $i\n"
        assert SH is not None
        try:
            output, why = run(script)
        except InputError:
            return
        if why == "script":  # else a "continue" goes on for ever
            real = subprocess.run([SH], input=script, capture_output=True, text=True, timeout=10, check=False)
            assert output == real.stdout, script
            compared += 1

    says_what_sh_says()
    assert compared > EXAMPLES // 4, "the scripts are too wild"


@pytest.mark.skipif(SH is None, reason="there is no sh here")
def test_directories_come_and_go_as_in_a_shell() -> None:
    """A real file system's answers to mkdir and rmdir are the measure: what fails says so, and later lines go on."""
    failed = 0

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.one_of(chain(made), rounds, until, job), min_size=1, max_size=5).map("\n".join))
    def does_what_sh_does(text: str) -> None:
        nonlocal failed
        asks = "".join(f"rmdir $D/{name} && echo {name}\n" for name in ("A/C", "A", "B"))
        with tempfile.TemporaryDirectory() as folder:
            script = f"{text}\necho end\n{asks}"
            output, why = run(f"D=/sys/fs/cgroup/memory\n{script}")
            assert SH is not None and why == "script"
            real = subprocess.run(
                [SH], input=f"D={folder}\n{script}", capture_output=True, text=True, timeout=10, check=False
            )
        said = [line for line in output.splitlines() if not line.startswith(("mkdir: ", "rmdir: "))]
        errors = [line.split(":")[0] for line in output.splitlines() if line.startswith(("mkdir: ", "rmdir: "))]
        assert said == real.stdout.splitlines(), script
        assert errors == [line.split(":")[0].rpartition("/")[2] for line in real.stderr.splitlines()], script
        failed += len(errors)

    does_what_sh_does()
    assert failed > EXAMPLES, "the scripts are too tame"
