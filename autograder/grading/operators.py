"""Families of PyTorch operators, for `forbids(...)`.

Patterns (for fnmatch) for the names of dispatched ATen operators, so it does not matter how an operator is reached:
`F.max_pool2d`, `nn.MaxPool2d` and `torch.max_pool2d` all dispatch `max_pool2d_with_indices`.
"""

POOLING = ("*pool*",)
PADDING = ("pad", "*_pad", "*_pad[0-9]*", "constant_pad_nd", "*_pad_*")
CONVOLUTION = ("*conv[0-9]*", "*conv_*", "*convolution*")  # but not `_convert_…`
NORMALISATION = ("*batch_norm*", "*instance_norm*", "*group_norm*", "*layer_norm*", "*rms_norm*")
