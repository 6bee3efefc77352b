# wrong: classifier_head, count_macs, compare_architectures
# Biases are work, groups are not known, buffers are parameters; one dropout rate for all.
import torch
import torch.fx
import torch.nn as nn
import torch.nn.functional as F


class DownsampleComparison(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv_pool = nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.strided_conv = nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1), nn.ReLU())
        self.conv_avgpool = nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2))

    def forward(self, x, method="strided"):
        if method == "maxpool":
            return self.conv_pool(x)
        elif method == "strided":
            return self.strided_conv(x)
        elif method == "avgpool":
            return self.conv_avgpool(x)
        raise ValueError("unknown method " + str(method))


class BlurPool(nn.Module):
    def __init__(self, channels, stride=2):
        super().__init__()
        self.channels, self.stride = channels, stride
        k = torch.tensor([[1., 2., 1.], [2., 4., 2.], [1., 2., 1.]]) / 16
        self.register_buffer("kernel", k.expand(channels, 1, 3, 3).clone())

    def forward(self, x):
        if x.shape[2] < 2 or x.shape[3] < 2:
            raise ValueError("map too small")
        x = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(x, self.kernel.to(x.dtype), stride=self.stride, groups=self.channels)


def classifier_head(in_features, num_classes, hidden=256):
    return nn.Sequential(
        nn.Dropout(0.3), nn.Linear(in_features, hidden), nn.ReLU(), nn.Dropout(0.3), nn.Linear(hidden, num_classes)
    )


def count_macs(model, input_shape):
    total = 0

    def hook(m, args, out):
        nonlocal total
        if isinstance(m, nn.Linear):
            total += out.numel() * (m.in_features + (m.bias is not None))
        else:
            total += out.numel() * m.in_channels * m.kernel_size[0] * m.kernel_size[1]

    modes = {m: m.training for m in model.modules()}
    handles = [m.register_forward_hook(hook) for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    try:
        model.eval()
        with torch.no_grad():
            model(torch.zeros(*input_shape))
    finally:
        for h in handles:
            h.remove()
        for m, mode in modes.items():
            m.training = mode
    return total


def first(v):
    return v[0] if isinstance(v, tuple) else v


def compute_receptive_field(model, input_size=224):
    root = nn.Sequential(model)
    known = {}
    for node in torch.fx.Tracer().trace(root).nodes:
        inputs = [known[n] for n in node.all_input_nodes if n in known]
        if node.op == "placeholder":
            known[node] = (1, 1, 0, input_size)
        if not inputs:
            continue
        rf, jump, start, n = max(inputs)
        k, s, p, d = 1, 1, 0, 1
        if node.op == "call_module":
            m = root.get_submodule(node.target)
            if isinstance(m, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
                k, s, p, d = m.kernel_size, m.stride, m.padding, getattr(m, "dilation", 1)
        elif node.target in (F.max_pool2d, F.avg_pool2d):
            k = node.args[1] if len(node.args) > 1 else node.kwargs["kernel_size"]
            s = node.args[2] if len(node.args) > 2 else node.kwargs.get("stride") or k
            p = node.args[3] if len(node.args) > 3 else node.kwargs.get("padding", 0)
        k, s, p, d = first(k), first(s), first(p), first(d)
        wide = d * (k - 1)
        known[node] = (rf + wide * jump, jump * s, start + (wide / 2 - p) * jump, (n + 2 * p - wide - 1) // s + 1)
    rf, jump, start, n = known[node]
    return rf, [start + i * jump for i in range(n)]


def compare_architectures(models, input_shape):
    rows = []
    for name, model in models.items():
        params = sum(p.numel() for p in model.state_dict().values())
        rows.append({"name": name, "parameters": params, "macs": count_macs(model, input_shape)})
    rows.sort(key=lambda r: (r["macs"], r["name"]))
    return rows
