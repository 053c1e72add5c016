// Draws a Vega-Lite specification, from standard input, as SVG to standard output.
import { text } from "node:stream/consumers";
import process from "node:process";
import { parse, View } from "vega";
import { compile } from "vega-lite";

const { spec } = compile(JSON.parse(await text(process.stdin)));
process.stdout.write(await new View(parse(spec), { renderer: "none" }).toSVG());
