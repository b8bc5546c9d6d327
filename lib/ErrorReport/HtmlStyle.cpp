//===- HtmlStyle.cpp - The style sheet of the error report ----------------===//

#include "HtmlCharts.h"

const char *const quant_mlir::html::styleSheet = R"css(
:root {
  color-scheme: light dark;
  --page: #ffffff; --ink: #1d2129; --soft: #5b6472; --line: #d9dee6;
  --panel: #f5f7fa; --total: #1f5fbf; --local: #c2570c; --inherited: #8aa6cf;
  --reference: #a9c0e3; --error: #b9a4d4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171c; --ink: #e7eaf0; --soft: #a0a9b8; --line: #343b47;
    --panel: #1c2128; --total: #6ea8ff; --local: #ff9a4d;
    --inherited: #4d6a99; --reference: #3d5a8a; --error: #6b5591;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 40px 0 8px; }
p { margin: 6px 0 12px; max-width: 78ch; }
.soft { color: var(--soft); }
code { font: 0.92em/1.4 ui-monospace, "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere; }
.tiles { display: grid; gap: 12px; margin: 20px 0 8px;
  grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); }
.tile { background: var(--panel); border: 1px solid var(--line);
  border-radius: 8px; padding: 12px 14px; }
.tile b { display: block; font-size: 22px; font-weight: 600;
  overflow-wrap: anywhere; }
.tile i { font-style: normal; font-size: 15px; }
.tile span { color: var(--soft); font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 6px 10px; vertical-align: top;
  border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; font-size: 13px;
  vertical-align: bottom; }
.num { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
td small { display: block; white-space: nowrap; color: var(--soft); }
a { color: var(--total); text-decoration: none; }
a:hover { text-decoration: underline; }
svg { display: block; }
svg text { font: 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans",
  sans-serif; fill: var(--soft); }
svg text.label { fill: var(--ink); font-size: 13px; }
svg text.end { text-anchor: end; }
svg text.middle { text-anchor: middle; }
.axis { stroke: var(--soft); stroke-width: 1; }
.grid { stroke: var(--line); stroke-width: 1; }
.dashed { stroke-dasharray: 3 4; }
.line { fill: none; stroke-width: 2; }
.line.total { stroke: var(--total); }
.line.local { stroke: var(--local); stroke-dasharray: 5 4; }
.mark { stroke: var(--page); stroke-width: 1.2; }
.mark.total { fill: var(--total); }
.mark.local { fill: var(--local); }
.track { fill: var(--panel); }
.fill.local { fill: var(--local); }
.fill.inherited { fill: var(--inherited); }
.area.reference { fill: var(--reference); }
.area.error { fill: var(--error); }
.outline { fill: none; stroke-width: 1.6; }
.outline.quantized { stroke: var(--local); }
th.op { width: 26%; min-width: 220px; }
.split { margin-top: 5px; }
.key { display: inline-flex; align-items: center; gap: 6px;
  margin-right: 18px; font-size: 13px; color: var(--soft); }
.key i { display: inline-block; width: 14px; height: 10px;
  border-radius: 2px; }
.key i.total { background: var(--total); }
.key i.local { background: var(--local); }
.key i.inherited { background: var(--inherited); }
.key i.reference { background: var(--reference); }
.key i.error { background: var(--error); }
.key i.quantized { background: none; border: 2px solid var(--local); }
details { border: 1px solid var(--line); border-radius: 8px;
  margin: 10px 0; padding: 0 14px; background: var(--panel); }
summary { cursor: pointer; padding: 10px 0; }
summary b { overflow-wrap: anywhere; }
.pair { display: grid; gap: 18px; padding-bottom: 14px;
  grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); }
.pair figure { margin: 0; }
.pair figcaption { font-size: 13px; color: var(--soft); margin-bottom: 4px; }
.histogram { width: 100%; height: auto; }
dl { max-width: 78ch; }
dt { font-weight: 600; margin-top: 10px; }
dd { margin: 2px 0 0; }
)css";
