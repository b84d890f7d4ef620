// Uses pyexec by the official client of TypeScript: client.mjs stdio COMMAND | http URL KEY

import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [kind, target, key] = process.argv.slice(2);
const transport =
  kind === "stdio"
    ? new StdioClientTransport({ command: target, args: ["mcp"] })
    : new StreamableHTTPClientTransport(new URL(target), {
        requestInit: { headers: { Authorization: `Bearer ${key}` } },
      });
const client = new Client({ name: "test", version: "1" });
await client.connect(transport);

const run = (code, more = {}, options = undefined) =>
  client.callTool({ name: "run_python", arguments: { code, ...more } }, undefined, options);

const { tools } = await client.listTools();
assert.deepEqual(tools.map((tool) => tool.name), ["run_python"]);

// The client checks what comes against the schema that came with the tool.
const plain = await run("print('out')\n6 * 7");
assert.equal(plain.isError ?? false, false);
assert.equal(plain.structuredContent.stdout, "out\n");
assert.deepEqual(JSON.parse(plain.content[0].text), plain.structuredContent);

const failed = await run("import nothing_of_this_name_at_all");
assert.equal(failed.isError, true);
assert.match(failed.structuredContent.stderr, /ModuleNotFoundError/);

const made = await run("open('a.png', 'wb').write(b'png')\nopen('b.txt', 'w').write('text')");
assert.deepEqual(made.structuredContent.files, [
  { path: "a.png", size: 3 },
  { path: "b.txt", size: 4, content: "text" },
]);
assert.deepEqual(made.content[1], { type: "image", data: Buffer.from("png").toString("base64"), mimeType: "image/png" });

const session = (await run("x = 1", { session: "new" })).structuredContent.session;
const steps = [];
const controller = new AbortController();
const cancelled = run(
  "import time\nx = 2\nprint('runs', flush=True)\nwhile True: pass",
  { session },
  {
    signal: controller.signal,
    onprogress: (progress) => {
      steps.push(progress);
      controller.abort("enough");
    },
  },
);
await assert.rejects(cancelled, /enough/);
assert.equal(steps[0].message, "runs");
const after = await run("x", { session }, { timeout: 20_000 });
assert.equal(after.structuredContent.result, "2");

await client.close();
console.log("ok");
