// Unpacks the data and shows the page.
import { render } from "preact";
import { App } from "./app.jsx";
import { loadReport } from "./data.js";

const root = document.getElementById("app");

async function start() {
  const report = await loadReport();
  const show = (printing) => render(<App report={report} printing={printing} />, root);
  root.replaceChildren();
  show(false);
  addEventListener("beforeprint", () => show(true));
  addEventListener("afterprint", () => show(false));
}

start().catch((problem) => {
  const message = document.createElement("p");
  message.className = "loading";
  message.textContent = `The report cannot be shown: ${problem.message}`;
  root.replaceChildren(message);
});
