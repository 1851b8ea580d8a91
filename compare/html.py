"""The coverage page: one self-contained HTML file, no script needed to read it, wide or on a phone.

A row an op; a column a kind of input; in each cell the dtypes and orders of derivative that ran, their worst ulp and
whether all agreed. Details open under the row. Knows results only.
"""

from __future__ import annotations

import ast
import os
import platform
import sys
import time
from html import escape
from pathlib import Path
from typing import Any

from .report import Options, Result, duration, ulp_text
from .strategies import DTYPES, KINDS

ROOT = Path(__file__).resolve().parent.parent
ORDERS = ("forward", "backward", "double")

STYLE = """
:root { --bg:#fff; --ink:#1b1f24; --soft:#5d6773; --line:#dfe4ea; --ok:#dcf2e3; --okink:#14603a; --bad:#fbdcd9;
  --badink:#9a1c12; --none:#f3f5f7; --head:#f7f8fa; --link:#0a58ca }
@media (prefers-color-scheme: dark) { :root { --bg:#14171b; --ink:#e6e9ed; --soft:#9aa5b1; --line:#2c333b; --ok:#15402a;
  --okink:#9fe3bd; --bad:#57201b; --badink:#ffb9b1; --none:#1c2126; --head:#1a1e23; --link:#7db4ff } }
* { box-sizing:border-box }
body { margin:0 auto; padding:1rem; max-width:1200px; font:15px/1.45 system-ui,sans-serif; background:var(--bg);
  color:var(--ink) }
h1 { font-size:1.4rem; margin:.2rem 0 } h2 { font-size:1.1rem; margin:1.6rem 0 .4rem }
p { margin:.3rem 0; color:var(--soft) } a { color:var(--link) }
code,pre { font:12.5px/1.45 ui-monospace,Menlo,Consolas,monospace }
pre { overflow-x:auto; background:var(--head); border:1px solid var(--line); border-radius:6px; padding:.6rem;
  margin:.4rem 0 }
table { border-collapse:collapse; width:100% }
th,td { padding:.3rem .5rem; border-bottom:1px solid var(--line); text-align:left; vertical-align:top }
th { background:var(--head); font-weight:600 } td.n,th.n { text-align:right; font-variant-numeric:tabular-nums }
.ok { background:var(--ok); color:var(--okink) } .bad { background:var(--bad); color:var(--badink); font-weight:600 }
.tag { display:inline-block; border-radius:4px; padding:0 .35rem; white-space:nowrap; font-size:12.5px }
#find { width:100%; max-width:24rem; padding:.5rem .6rem; font:inherit; border:1px solid var(--line); border-radius:6px;
  background:var(--bg); color:inherit; margin:.4rem 0 }
.legend span { margin-right:.8rem; white-space:nowrap }
details.op { border-bottom:1px solid var(--line) }
details.op > summary { cursor:pointer; list-style:none; padding:.35rem 0; display:grid; gap:.2rem .6rem;
  align-items:center;
  grid-template-columns:minmax(9rem,14rem) 1fr 4.5rem 4.5rem }
details.op > summary::-webkit-details-marker { display:none }
details.op > summary:focus-visible { outline:2px solid var(--link) }
.name { overflow-wrap:anywhere; font-weight:600 }
.strip { display:flex; gap:2px }
.strip i { flex:1 1 0; min-width:8px; height:1.15rem; border-radius:3px; background:var(--none) }
.strip i.y { background:#3fae6f } .strip i.f { background:#7fc9a0 } .strip i.x { background:#d6402f }
.num { text-align:right; font-variant-numeric:tabular-nums; color:var(--soft) }
.scroll { overflow-x:auto }
.cells td { text-align:center; white-space:nowrap; font-variant-numeric:tabular-nums; font-size:12.5px;
  padding:.2rem .35rem }
.cells th { font-size:12px; white-space:nowrap; padding:.2rem .35rem }
@media (max-width:640px) { body { padding:.7rem } details.op > summary { grid-template-columns:1fr 3.2rem 3.4rem }
  .strip { grid-column:1 / -1; order:9 } .strip i { height:.7rem } }
"""

SCRIPT = """
const box = document.getElementById('find');
if (box) box.addEventListener('input', () => {
  const text = box.value.toLowerCase();
  for (const row of document.querySelectorAll('details.op'))
    row.hidden = !row.dataset.name.includes(text);
});
"""


def page(results: list[Result], options: Options, seconds: float) -> str:
    """The whole page as text."""
    ops = [r for r in results if r.details.get("coverage")]
    others = [r for r in results if not r.details.get("coverage")]
    failed = sum(not r.passed for r in results)
    checks = sum(r.checks for r in results)
    verdict = (
        f'<span class="tag bad">{failed} rows disagree</span>' if failed else '<span class="tag ok">all agree</span>'
    )
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>minigrad and torch, compared</title>',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<style>{STYLE}</style></head><body>",
        f"<h1>minigrad and torch, compared</h1>"
        f"<p>{verdict} {checks:,} checks of {len(results):,} rows in {duration(seconds)}, "
        f"seed {options.seed}. {escape(_versions())}</p>",
        _summary(results),
    ]
    if ops:
        parts.append(_ops(ops, os.path.relpath(ROOT, os.path.dirname(os.path.abspath(options.html or ".")))))
    if others:
        parts.append(_others(others))
    bad = [r for r in results if not r.passed]
    if bad:
        parts.append("<h2>Disagreements</h2>" + "".join(_failures(r) for r in bad))
    parts.append(f"<script>{SCRIPT}</script></body></html>\n")
    return "\n".join(parts)


def _summary(results: list[Result]) -> str:
    groups: dict[str, list[Result]] = {}
    for r in results:
        groups.setdefault(r.group, []).append(r)
    rows = []
    for name, members in groups.items():
        failed = sum(not r.passed for r in members)
        worst = max((r.worst_ulp for r in members if r.worst_ulp is not None), default=None)
        tag = f'<span class="tag bad">{failed} fail</span>' if failed else '<span class="tag ok">pass</span>'
        rows.append(f'<tr><td>{escape(name)}</td><td class="n">{len(members):,}</td>'
                    f'<td class="n">{sum(r.checks for r in members):,}</td><td class="n">{ulp_text(worst)}</td>'
                    f"<td>{tag}</td></tr>")  # fmt: skip
    head = (
        '<tr><th>group</th><th class="n">rows</th><th class="n">checks</th><th class="n">worst ulp</th><th></th></tr>'
    )
    return f'<div class="scroll"><table>{head}{"".join(rows)}</table></div>'


def _ops(ops: list[Result], root: str) -> str:
    strip = " · ".join(escape(kind) for kind in KINDS)
    legend = (
        '<p class="legend"><span><b style="color:#3fae6f">■</b> with double backward</span> '
        '<span><b style="color:#7fc9a0">■</b> value only, or first order</span> '
        '<span><b style="color:#d6402f">■</b> disagrees</span> '
        '<span><b style="color:#9aa5b1">□</b> does not apply</span></p>'
        f"<p>The strip's columns: {strip}. Numbers: checks, worst ulp. Open a row for every dtype and order.</p>"
    )
    search = '<input id="find" type="search" placeholder="find an op" aria-label="find an op">'
    return f"<h2>Ops</h2>{legend}{search}" + "".join(_op(r, root) for r in ops)


def _op(r: Result, root: str) -> str:
    coverage = r.details["coverage"]
    strip = []
    for kind in KINDS:
        cells = [coverage[d][kind] for d in coverage if kind in coverage[d]]
        failed = any(cell[order][2] for cell in cells for order in cell)
        deep = any("double" in cell for cell in cells)
        css = "x" if failed else ("y" if deep else "f") if cells else ""
        state = "disagrees" if failed else ("agrees" if cells else "does not apply")
        strip.append(f'<i class="{css}" title="{escape(kind)}: {state}"></i>')
    mark = "" if r.passed else ' <span class="tag bad">disagrees</span>'
    return (
        f'<details class="op" data-name="{escape(r.name.lower(), quote=True)}"><summary>'
        f'<span class="name">{escape(r.name)}{mark}</span><span class="strip">{"".join(strip)}</span>'
        f'<span class="num">{r.checks:,}</span>'
        f'<span class="num">{ulp_text(r.worst_ulp)}</span></summary>{_detail(r, coverage, root)}</details>'
    )


def _detail(r: Result, coverage: dict[str, Any], root: str) -> str:
    kinds = [k for k in KINDS if any(k in coverage[d] for d in coverage)]
    head = "<tr><th>dtype</th><th>order</th>" + "".join(f"<th>{escape(k)}</th>" for k in kinds) + "</tr>"
    rows = []
    for dtype in sorted(coverage, key=[*DTYPES, "mixed", *coverage].index):
        for order in ORDERS:
            if not any(order in coverage[dtype].get(k, {}) for k in kinds):
                continue
            cells = []
            for k in kinds:
                cell = coverage[dtype].get(k, {}).get(order)
                if cell is None:
                    cells.append("<td></td>")
                else:
                    css = "bad" if cell[2] else "ok"
                    cells.append(f'<td class="{css}">{"✗" if cell[2] else ulp_text(cell[1])}</td>')
            rows.append(f"<tr><th>{escape(dtype)}</th><th>{order}</th>{''.join(cells)}</tr>")
    formulas = "".join(
        f"<li><code>{escape(f['text'])}</code> <small>{_link(f['where'], root)}</small></li>"
        for f in r.details.get("formulas", ())
    )
    formulas = f"<ul>{formulas}</ul>" if formulas else ""
    return (
        f"<p><code>{escape(r.details.get('call', ''))}</code></p>{formulas}"
        f'<div class="scroll"><table class="cells">{head}{"".join(rows)}</table></div><p>Cells: worst ulp met.</p>'
    )


def _link(where: str, root: str) -> str:
    path, _, line = where.rpartition(":")
    return f'<a href="{escape(f"{root}/{path}", quote=True)}#L{line}">{escape(where)}</a>'


def _others(others: list[Result]) -> str:
    groups: dict[str, list[Result]] = {}
    for r in others:
        groups.setdefault(r.group, []).append(r)
    parts = ["<h2>Everything else</h2>"]
    head = '<tr><th>row</th><th class="n">checks</th><th class="n">worst ulp</th><th></th></tr>'
    for name, members in groups.items():
        rows = []
        for r in members:
            tag = '<span class="tag ok">pass</span>' if r.passed else '<span class="tag bad">fails</span>'
            rows.append(f'<tr><td>{escape(r.name)}</td><td class="n">{r.checks:,}</td>'
                        f'<td class="n">{ulp_text(r.worst_ulp)}</td><td>{tag} {escape(r.note)}</td></tr>')  # fmt: skip
        parts.append(f'<details><summary>{escape(name)}, {len(members):,} rows</summary><div class="scroll">'
                     f"<table>{head}{''.join(rows)}</table></div></details>")  # fmt: skip
    return "".join(parts)


def _failures(r: Result) -> str:
    parts = [f"<h3>{escape(r.group)}: {escape(r.name)}</h3>"]
    for f in r.failures:
        parts.append(f"<p>{escape(f.where)}</p><pre>{escape(f.message)}</pre>")
        if f.reproducer:
            parts.append(f"<details><summary>script that shows it</summary><pre>{escape(f.reproducer)}</pre></details>")
    return "".join(parts)


def formulas_of(primitives: Any) -> list[dict[str, str]]:
    """The derivative formulas of primitives as text, each with its file and line, for the page."""
    from minigrad.declarations import declared

    found = []
    for primitive in primitives:
        path = Path(primitive.forward.__code__.co_filename).resolve()
        where = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
        for name, formula in declared(primitive).items():
            text = f"{primitive.name}, {name}: {ast.unparse(formula)}"
            found.append({"text": text, "where": f"{where}:{formula.lineno}"})
    return found


def _versions() -> str:
    names = [
        f"{n} {sys.modules[n].__version__}"
        for n in ("minigrad", "torch", "numpy")
        if hasattr(sys.modules.get(n), "__version__")
    ]
    return f"{', '.join(names)}, Python {platform.python_version()}, {platform.machine()}, {time.strftime('%Y-%m-%d')}."
