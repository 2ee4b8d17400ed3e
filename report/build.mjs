// Bundles the page: src/ and the libraries of package.json become template.html, one file that asks
// nothing of anybody. `--check` says whether template.html is what the sources make.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const here = new URL(".", import.meta.url).pathname;

async function bundle(entry) {
  const result = await build({
    entryPoints: [here + "src/" + entry],
    bundle: true,
    minify: true,
    write: false,
    target: ["es2022", "chrome109", "firefox115", "safari16.4"],
    charset: "ascii",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
  });
  return result.outputFiles[0].text.trim();
}

const hash = (text) => "'sha256-" + createHash("sha256").update(text).digest("base64") + "'";
const notice = (name) =>
  `${name} ${JSON.parse(readFileSync(`${here}node_modules/${name}/package.json`)).version}: ` +
  readFileSync(`${here}node_modules/${name}/LICENSE`, "utf8").trim().replaceAll("--", "- -").replace(/[^\n\x20-\x7e]/g, "?");

const script = (await bundle("main.jsx")).replaceAll("</script", "<\\/script");
const style = await bundle("style.css");
const policy =
  `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; ` +
  `base-uri 'none'; form-action 'none'`;
const page = readFileSync(here + "src/page.html", "utf8")
  .replace("@POLICY@", () => policy)
  .replace("@NOTICES@", () => ["preact", "@tanstack/virtual-core"].map(notice).join("\n\n"))
  .replace("@STYLE@", () => style)
  .replace("@SCRIPT@", () => script);

if (/[^\x00-\x7f]/.test(page)) throw new Error("the page has to be ASCII: write an entity");

const target = here + "template.html";
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== page) {
    console.error("template.html is not what src/ makes: run `npm run build` in report/");
    process.exit(1);
  }
} else {
  writeFileSync(target, page);
  console.log(`template.html: ${page.length} bytes`);
}
