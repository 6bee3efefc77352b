import math

import torch

from autograder.grading import misconception


@misconception("layer_norm", hint="Which number does the variance divide by: D, or D - 1?")
def unbiased(x, weight, bias, eps=1e-5):
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + eps).sqrt() * weight + bias


@misconception("layer_norm", hint="Is eps added to the variance, or to its root?")
def eps_beside_the_root(x, weight, bias, eps=1e-5):
    return (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True, correction=0) + eps) * weight + bias


@misconception("layer_norm", hint="Which comes first, the weight or the bias?")
def bias_first(x, weight, bias, eps=1e-5):
    return ((x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, correction=0) + eps).sqrt() + bias) * weight


@misconception("layer_norm", hint="How many means does a batch have? Print the shape of yours.")
def one_mean_for_all(x, weight, bias, eps=1e-5):
    return (x - x.mean()) / (x.var(correction=0) + eps).sqrt() * weight + bias


@misconception("attention", hint="Look at the scores before the softmax: what are they divided by?")
def unscaled(q, k, v, mask=None):
    scores = q @ k.transpose(-1, -2)
    return torch.softmax(scores if mask is None else scores.masked_fill(~mask, -math.inf), -1) @ v


@misconception("attention", hint="Over which dimension do the weights of one query add up to 1?", severe="no mean is right")
def over_the_queries(q, k, v, mask=None):
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    return torch.softmax(scores if mask is None else scores.masked_fill(~mask, -math.inf), -2) @ v


@misconception("attention", hint="Add up the weights of a query with a masked key. Mask the scores, not the weights.")
def masks_the_weights(q, k, v, mask=None):
    weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), -1)
    return (weights if mask is None else weights * mask) @ v


@misconception("attention", hint="Which two dimensions of a batch of keys have to change places?")
def transposes_the_batch(q, k, v, mask=None):
    scores = q @ k.transpose(0, 1) / math.sqrt(q.shape[-1])
    return torch.softmax(scores if mask is None else scores.masked_fill(~mask, -math.inf), -1) @ v
