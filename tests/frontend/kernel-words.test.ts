// Which kernel makes the steps, in words.

import assert from "node:assert/strict";
import { test } from "node:test";

import { kernelWords } from "../../frontend/core/kernel-words.ts";

const gd = { label: "gd", kernel: "compiled" };
const sgd = { label: "sgd", kernel: "numpy" };

test("the words name the kernel of all steps", () => {
  assert.equal(kernelWords({ kernel: "compiled" }, [gd]), "Steps are made by compiled kernels.");
  assert.equal(kernelWords({ kernel: "compiled" }, []), "Steps are made by compiled kernels.");
});

test("the words say why NumPy makes the steps", () => {
  assert.equal(
    kernelWords({ kernel: "numpy", not_compiled: "FALLLINE_KERNEL is numpy" }, [sgd]),
    "Steps are made by NumPy (compiled kernels are not in use: FALLLINE_KERNEL is numpy).",
  );
});

test("the words say that compiled kernels lack the loss", () => {
  assert.equal(
    kernelWords({ kernel: "compiled" }, [sgd], "numpy"),
    "Steps are made by NumPy: the compiled kernels have no code for this loss.",
  );
});

test("runs created earlier keep their kernel, and the words say so", () => {
  assert.equal(
    kernelWords({ kernel: "compiled" }, [gd, sgd]),
    "New runs are made by compiled kernels. sgd started with NumPy and keeps it until reset.",
  );
  assert.equal(
    kernelWords({ kernel: "compiled" }, [{ ...gd, kernel: "numpy" }, sgd]),
    "New runs are made by compiled kernels. gd and sgd started with NumPy and keep it until reset.",
  );
});
