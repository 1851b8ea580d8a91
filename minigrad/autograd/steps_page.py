"""The page of a backward pass: one self-contained HTML text, read top to bottom as backward ran, wide or on a phone.

Owns how it looks; what it says comes from `Steps`.
"""

from html import escape

STYLE = """
:root { --bg:#fff; --ink:#1b1f24; --soft:#5d6773; --line:#dfe4ea; --head:#f5f7f9; --mark:#8250df; --link:#0a58ca }
@media (prefers-color-scheme: dark) { :root { --bg:#14171b; --ink:#e6e9ed; --soft:#9aa5b1; --line:#2c333b;
  --head:#1b2026; --mark:#c9a6ff; --link:#7db4ff } }
* { box-sizing:border-box }
body { margin:0 auto; padding:1rem; max-width:60rem; font:16px/1.5 system-ui,sans-serif; background:var(--bg);
  color:var(--ink) }
h1 { font-size:1.4rem; margin:.2rem 0 } h2 { font-size:1.05rem; margin:0 }
p { margin:.3rem 0; color:var(--soft) } a { color:var(--link) }
code, pre { font:13px/1.5 ui-monospace,Menlo,Consolas,monospace }
pre { margin:.2rem 0; overflow-x:auto }
pre.formula { background:var(--head); border-left:3px solid var(--mark); padding:.2rem .6rem }
section { border:1px solid var(--line); border-radius:8px; margin:1rem 0; overflow:hidden }
section > header { background:var(--head); padding:.5rem .8rem; border-bottom:1px solid var(--line) }
section > header p { margin:0 }
section:target { border-color:var(--mark) }
dl { display:grid; grid-template-columns:minmax(6rem,max-content) 1fr; gap:.3rem .9rem; margin:.6rem .8rem }
dt { color:var(--soft) } dd { margin:0; min-width:0 }
dt.out { color:var(--mark) }
small { color:var(--soft) }
@media (max-width:34rem) { dl { grid-template-columns:1fr; gap:.1rem } dt { margin-top:.4rem } }
"""


def page(steps):
    """The whole page."""
    count = f"{len(steps)} step" + ("s" if len(steps) != 1 else "")
    cut = f" {steps.left_out:,} more were not written down (limit={steps.limit})." if steps.left_out else ""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Backward, step by step</title>',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<style>{STYLE}</style></head><body><h1>Backward, step by step</h1>",
        f"<p>{count}, in the order in which they ran.{cut} g is the cotangent that came to a node: the gradient of the "
        "result with respect to what the node had computed. Each formula makes of it the cotangent of one input; xp is "
        "NumPy, or what stands in for it.</p>",
        *(_section(steps, step) for step in steps),
    ]
    if steps.leaves:
        parts.append("<section><header><h2>What the leaves received</h2></header><dl>")
        parts += [_leaf(leaf) for leaf in steps.leaves]
        parts.append("</dl></section>")
    parts.append("</body></html>\n")
    return "".join(parts)


def _section(steps, step):
    op = f" <small>of {escape(step.op)}</small>" if step.op else ""
    lines = [f'<section id="step-{step.number}"><header><h2>{step.number}. {escape(step.name)}{op}</h2>']
    if step.called:
        file, line, text = step.called
        lines.append(f"<p><code>{escape(text)}</code> <small>{escape(file)}, line {line}</small></p>")
    lines.append("</header><dl>")
    lines.append(f"<dt>g{' <small>(given)</small>' if step.given else ''}</dt><dd>{_value(step.g)}</dd>")
    for name, value in step.saved.items():
        lines.append(f"<dt>{escape(name)}</dt><dd>{_value(value)}</dd>")
    if step.code:
        lines.append(f'<dt>its backward</dt><dd><pre class="formula">{escape(step.code)}</pre></dd>')
    for out in step.outgoing:
        lines.append(f'<dt class="out">gradient of {escape(out.input)}</dt><dd>')
        if out.formula:
            lines.append(f'<pre class="formula">{escape(out.formula)}</pre>')
        if out.summed:
            lines.append("<small>summed over what broadcasting stretched</small>")
        lines.append(f"{_value(out.value)}<small>goes to {_target(steps, step, out)}</small></dd>")
    lines.append("</dl></section>")
    return "".join(lines)


def _target(steps, step, out):
    where, later = escape(steps.where(step, out)), steps.next_step(step, out)
    return f"<b>{where}</b>" if later is None else f'<a href="#step-{later.number}">{where}</a>'


def _leaf(leaf):
    links = ", ".join(f'<a href="#step-{n}">{n}</a>' for n in leaf.steps)
    said = f"from step{'s' if len(leaf.steps) != 1 else ''} {links}"
    grad = "" if leaf.grad is None else f"<small>.grad afterwards</small>{_value(leaf.grad)}"
    return f"<dt>{escape(leaf.name)}</dt><dd><small>{said}</small>{_value(leaf.received)}{grad}</dd>"


def _value(value):
    kind = f" <small>{escape(value.kind)}</small>" if value.kind else ""
    return f"<pre>{escape(value.text)}{kind}</pre>"
