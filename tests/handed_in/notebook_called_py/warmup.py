{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": null,
   "metadata": {},
   "outputs": [],
   "source": "import torch\nfrom torch import nn\n\n\ndef double(x):\n    return 2 * x\n\n\ndef clipped(x):\n    return x.clamp(min=0)\n\n\nclass Scale(nn.Module):\n    def __init__(self, factor):\n        super().__init__()\n        self.factor = factor\n\n    def forward(self, x):\n        return self.factor * x\n"
  }
 ],
 "metadata": {},
 "nbformat": 4,
 "nbformat_minor": 4
}
